"""The router: which pages there are, and the one place where a mistake a person can put right becomes a sentence."""

import streamlit as st

from app.memory import share_heaps
from app.sentences import sentences_for_people
from app.waiting import Line, telling

share_heaps()
st.set_page_config(page_title="AlexNet Explorer", page_icon=":material/neurology:", layout="wide")

page = st.navigation(
    {
        "": [
            st.Page(
                "views/home.py",
                title="Home",
                icon=":material/home:",
                default=True,
                help="A trained network at a glance, and three doors: train, look inside, explain a picture.",
            ),
            st.Page(
                "views/architecture.py",
                title="Architecture",
                icon=":material/view_in_ar:",
                help=(
                    "The network drawn to scale, layer by layer: what comes out, what it costs, and how each number "
                    "is computed."
                ),
            ),
            st.Page(
                "views/train.py",
                title="Train",
                icon=":material/model_training:",
                help=(
                    "Choose data and a network, press Start, and watch curves and filters form. The run goes on "
                    "without this page."
                ),
            ),
            st.Page(
                "views/runs.py",
                title="Runs",
                icon=":material/stacked_line_chart:",
                help="All runs and imported networks: compare their curves, name, repeat, take home, bring in, delete.",
            ),
            st.Page(
                "views/family.py",
                title="The family",
                icon=":material/family_history:",
                help="AlexNet's successors: what each changed, what it costs here, and all of them on one picture.",
            ),
        ],
        "Your data": [
            st.Page(
                "views/your_pictures.py",
                title="Your pictures",
                icon=":material/add_photo_alternate:",
                help="Make a data set of your own: drop a folder, a zip or files, photograph things, sort them.",
            ),
            st.Page(
                "views/doctor.py",
                title="Data doctor",
                icon=":material/stethoscope:",
                help="What is wrong with a data set: copies, two classes for one picture, blur, imbalance, doubtful "
                "labels; and what chance does to pictures in training.",
            ),
        ],
        "Inside the network": [
            st.Page(
                "views/look_inside.py",
                title="Look inside",
                icon=":material/search:",
                help="The first filters in colour, and what any layer answers to any picture.",
            ),
            st.Page(
                "views/units.py",
                title="Units",
                icon=":material/hub:",
                help="A passport for any unit: what excites it most and least, and a picture made for it.",
            ),
            st.Page(
                "views/lesions.py",
                title="Lesions",
                icon=":material/content_cut:",
                help="Switch units off or amplify them, and see which classes depend on them.",
            ),
            st.Page(
                "views/neighbours.py",
                title="Neighbours",
                icon=":material/scatter_plot:",
                help="Which pictures a network finds alike, from pixels to the last hidden layer; all on a plane.",
            ),
            st.Page(
                "views/time_machine.py",
                title="Time machine",
                icon=":material/history:",
                help="A training on one slider: filters, maps, reasons and mistakes from the first step to the last.",
            ),
            st.Page(
                "views/transferability.py",
                title="Transferability",
                icon=":material/low_priority:",
                help="Copy the first layers of one network into another, and see which are of use for other classes.",
            ),
        ],
        "Explanations": [
            st.Page(
                "views/explain.py",
                title="Predict and explain",
                icon=":material/image_search:",
                help="What a network says about a picture, and many ways to ask why, side by side.",
            ),
            st.Page(
                "views/break_it.py",
                title="Break it",
                icon=":material/broken_image:",
                help="Make a picture worse, or change it so little that nobody sees it, until the network is wrong.",
            ),
            st.Page(
                "views/how_sure.py",
                title="How sure is it",
                icon=":material/balance:",
                help="Whether its probabilities can be believed; what it says about pictures of nothing it knows.",
            ),
        ],
    },
    position="top",
)

with telling(Line(st.empty())), sentences_for_people():
    page.run()
