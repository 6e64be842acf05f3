"""An open run in the list: where to look at it, its name and note, starting it again, taking it home, deleting it."""

import streamlit as st

from alexnet_core.limits import NAME_LENGTH
from alexnet_core.runs import trash
from alexnet_core.runs.listing import Summary
from alexnet_core.runs.notes import NOTE_LENGTH, Notes, write_notes
from app.runs import again, taking_home, trash_panel
from app.sentences import plain, sentences_for_people
from app.words import memory

BUNDLED = "This network comes with the program: it can be looked at, taken home and started again, not changed."

WATCH = "views/train.py"
WAYS: dict[str, tuple[str, str, str]] = {
    WATCH: ("Watch", ":material/monitoring:", "Its curves, and which class it takes for which."),
    "views/look_inside.py": ("Look inside", ":material/search:", "Its filters, and what its layers answer."),
    "views/explain.py": ("Explain a picture", ":material/image_search:", "Which places its answer rests on."),
}
"""(label, icon, explanation) of the pages that show a run; all but the first need its network."""


def show(one: Summary) -> None:
    """All of it."""
    with st.container(horizontal=True):
        for view, (label, icon, about) in WAYS.items():
            if view == WATCH or one.run.latest_network_path() is not None:
                st.page_link(view, label=label, icon=icon, help=about, query_params={"run": one.id})
    if one.state.message:
        st.caption(plain(one.state.message))
    naming, starting, taking, deleting = st.tabs(
        [
            ":material/edit: Name and note",
            ":material/restart_alt: Start again",
            ":material/download: Take home",
            ":material/delete: Delete",
        ],
        key=f"tabs-{one.id}",
        on_change="rerun",
    )
    for tab, panel in ((naming, _name), (starting, again.show), (taking, taking_home.show), (deleting, _delete)):
        if tab.open:
            with tab, sentences_for_people():
                panel(one)


def _name(one: Summary) -> None:
    if one.run.bundled:
        st.caption(BUNDLED)
        return
    with st.form(f"notes-{one.id}", border=False):
        title = st.text_input(
            "Name", value=one.title, max_chars=NAME_LENGTH, help="For people. The run's id and its files stay."
        )
        note = st.text_area(
            "Note",
            value=one.notes.note,
            max_chars=NOTE_LENGTH,
            placeholder="What did you want to find out, and what came of it?",
            help="Kept beside the run; the search finds its words.",
        )
        if st.form_submit_button("Save", icon=":material/save:", help="Writes notes.json into the run's folder."):
            # A name that was not changed stays the one that is made from network, data and time.
            write_notes(one.run.path, Notes(one.notes.title if title == one.title else title, note))
            st.rerun()


def _delete(one: Summary) -> None:
    if one.run.bundled:
        st.caption(BUNDLED)
        return
    st.markdown(
        f"Moves the run and its {memory(trash.size_of(one.run))} to the program's trash. One click brings it back."
    )
    if st.button("Delete", key=f"delete-{one.id}", icon=":material/delete:", help="Undo is offered at once."):
        trash.delete(one.run)
        st.session_state[trash_panel.DELETED] = (one.id, one.title)
        del st.query_params["open"]
        st.rerun()
