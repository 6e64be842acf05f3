"""Your pictures: a data set of one's own, made by dropping, photographing, sorting."""

import streamlit as st

from app.collecting import adding, cards, chosen, deleted, grid, history, naming, onward

st.title("Your pictures")
left, right = st.columns([2, 3], gap="large")
with left:
    album = chosen.choose()
if album is None:
    with left:
        st.markdown(
            "Teach a network to tell your own things apart. Drop a folder with one folder of pictures for each class, "
            "or photograph things with the camera. Nothing leaves this computer."
        )
        title = st.text_input(
            "Name of the data set", chosen.FIRST_TITLE, max_chars=64, help="It can be changed at any time."
        )
        adding.show(None, title or chosen.FIRST_TITLE)
        deleted.show()
    with right:
        cards.show_examples()
    st.stop()

now = album.contents()
with left:
    onward.show(album, now)
    history.show(album, now)
    adding.show(album, now.title)
    naming.show(album, now)
    chosen.show_damage(now)
    deleted.show()
with right:
    if now.classes:
        cards.show(album, now)
    else:
        st.info("This data set is empty. Add pictures, and their classes appear here.", icon=":material/add_a_photo:")
        cards.show_examples()
    grid.show(album, now)
