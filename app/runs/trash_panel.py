"""Undo after a deletion, and the trash."""

import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.runs import trash
from alexnet_core.runs.directory import RunDirectory
from app.sentences import plain
from app.words import memory

DELETED = "runs_deleted"
"""In the session: (id, title) of the run that was deleted last."""
SURE_OF = "sure_of"
"""In the session: the ids of the runs that the box in the trash stands for."""


def undo() -> None:
    """Say what was deleted last, and offer to bring it back."""
    last = st.session_state.get(DELETED)
    if last is None:
        return
    run_id, title = last
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/delete: **{plain(title)}** lies in the trash.", width="stretch")
        if st.button("Undo", key="undo_delete", icon=":material/undo:", type="primary", help="Brings it back whole."):
            del st.session_state[DELETED]
            trash.restore(run_id)
            st.rerun()
        if st.button(
            "Leave it there", key="leave_deleted", type="tertiary", help="It stays in the trash until you empty it."
        ):
            del st.session_state[DELETED]
            st.rerun()


def show() -> None:
    """What lies in the trash, folded away; nothing where it is empty."""
    deleted = trash.deleted_runs()
    if not deleted:
        return
    with st.expander(f"Trash ({len(deleted)})", icon=":material/delete:"):
        for run in deleted:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(plain(_title(run)), width="stretch")
                if st.button("Restore", key=f"restore-{run.id}", icon=":material/undo:", help="Brings it back whole."):
                    trash.restore(run.id)
                    st.session_state.pop(DELETED, None)
                    st.rerun()
        ids = [run.id for run in deleted]
        if st.session_state.get(SURE_OF) != ids:  # what was ticked for others does not hold for these
            st.session_state[SURE_OF], st.session_state["sure_to_empty"] = ids, False
        taken = memory(sum(map(trash.size_of, deleted)))
        sure = st.checkbox(_for_good(len(deleted)), key="sure_to_empty", help=f"Frees {taken}. This cannot be undone.")
        if st.button("Empty the trash", icon=":material/delete_forever:", disabled=not sure, help=f"Frees {taken}."):
            trash.empty()
            st.session_state.pop(DELETED, None)
            st.rerun()


def _for_good(count: int) -> str:
    """What the box asks."""
    return "Delete it for good" if count == 1 else f"Delete all {count} for good"


def _title(run: RunDirectory) -> str:
    try:
        return run.title()
    except ExplorerError:  # damaged, and yet to be restored or emptied
        return run.id
