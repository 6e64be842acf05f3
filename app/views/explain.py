"""Predict and explain: what a network says about a picture, and four ways to ask why."""

from functools import partial

import streamlit as st

from alexnet_core.insight.attribution import ATTRIBUTIONS
from app import answers, words
from app.choices import choose_network, choose_picture
from app.sentences import plain

COMPUTE = "Takes up to some seconds. What was computed once is kept."

st.title("Predict and explain")
left, right = st.columns([1, 2], gap="large")
with right:
    shared = choose_network()
with left:
    picture = choose_picture(shared.network)
with right:
    found = answers.top(shared, picture)
with left:
    st.image(
        answers.square(shared.network.preprocessing, picture),
        caption=words.picture_caption(picture.name, shared.network.preprocessing.size),
        width="stretch",
        alt=f"The centre square of the picture {picture.name}.",
    )
with right:
    st.subheader(f"It says {plain(found[0].name)}")
    for one in found:
        st.progress(one.probability, text=words.answer(one.name, one.probability))
    st.caption(
        f"The {len(found)} most probable of {len(shared.network.classes):,} classes. The probabilities of all "
        "classes add up to 100 %, also for a picture that shows none of them."
    )

st.subheader("Why?")
which, how = st.columns([3, 2], gap="large")
likely = [one.index for one in found]
target = which.selectbox(
    "Explain the class",
    [*likely, *(index for index in range(len(shared.network.classes)) if index not in likely)],
    format_func=lambda index: shared.network.classes[index],
    help="Any class can be asked about: also why the network might say something else. The most probable come first.",
)
share = how.slider(
    "Opacity of the maps",
    0,
    100,
    70,
    5,
    format="%d %%",
    key="opacity",
    help="0 % shows the picture alone, 100 % the map alone.",
    persist_state="session",
)

asked: set[tuple[str, str, str, int]] = st.session_state.setdefault("asked", set())
ground = answers.square(shared.network.preprocessing, picture)
grid = st.grid(4, min_column_width=250)
cards = {}
for name, method in ATTRIBUTIONS.items():
    with grid.cell(), st.container(border=True, height="stretch"):
        st.markdown(f"**{method.title}**", help=f"{method.computes} {method.paper}")
        above, below = st.empty(), st.empty()
        above.image(ground, width="stretch", alt="The picture, not explained yet.")
        question = (shared.key, picture.key, name, target)
        wanted = name not in answers.SLOW or question in asked
        if wanted or below.button("Compute", key=f"compute-{name}", width="stretch", help=COMPUTE):
            asked.add(question)
            cards[name] = (above, below)
        st.caption(words.colours_of(method.signed))
        st.markdown(f"**Can say:** {method.says}\n\n**Cannot say:** {method.silent_on}")

# All cards stand before the first map is computed: nothing jumps while one waits.
for name, (above, below) in cards.items():
    method = ATTRIBUTIONS[name]
    bar = below.progress(0.0, f"Computing {method.title.lower()}")
    explained = answers.explained(shared, picture, name, target, bar.progress)
    over = answers.laid_over(shared, picture, explained, answers.fraction(share))
    above.image(
        over,
        width="stretch",
        alt=f"{method.title}: the picture coloured by how its places speak for {explained.target_name}.",
    )
    below.download_button(
        "Download PNG",
        partial(answers.png, over),
        file_name=f"{name}.png",
        mime="image/png",
        key=f"download-{name}",
        icon=":material/download:",
        help="The picture with this map, as shown.",
        on_click="ignore",
        width="stretch",
    )
