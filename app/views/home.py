"""Home: something to look at first, and three doors."""

import streamlit as st

from app.doors import DOORS

st.title("AlexNet Explorer")
st.markdown(
    "Train AlexNet in front of your eyes, look inside the network you just trained, and learn how far to believe what "
    "you see. Everything happens on this computer: no account, no graphics card, no download to begin. "
    "Begin with a trained network, or train your own in a minute or two."
)
notice = st.container()
exhibit = st.container()
for column, door in zip(st.columns(3), DOORS, strict=True):
    with column.container(border=True, height="stretch"):
        st.subheader(door.title)
        st.markdown(door.text)
        st.space("stretch")
        if st.button(door.button, key=door.page, type=door.kind, icon=door.icon, width="stretch", help=door.help):
            st.switch_page(door.page)

# After a start of the server torch takes some seconds to import: until then the page can be read, its doors are open.
with exhibit.skeleton(height=480):
    from app import exhibition, interrupted

    interrupted.show(notice)
    exhibition.show(exhibit)
