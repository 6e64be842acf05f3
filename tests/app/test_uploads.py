import os
import time
from pathlib import Path

import pytest
import streamlit as st

from alexnet_core.errors import ExplorerError
from alexnet_core.places import uploads_home
from app import uploads

MONTH = uploads.DAYS * 24 * 3600


def aged(key: str, seconds: float) -> Path:
    path = uploads_home() / key
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


@pytest.mark.usefixtures("home")
def test_a_picture_nobody_has_used_for_a_month_makes_room_for_the_next_one():
    old, used = uploads.keep(b"old"), uploads.keep(b"used")
    zip_of_a_data_set = uploads_home() / old[:16] / "pets.zip"
    zip_of_a_data_set.parent.mkdir()
    zip_of_a_data_set.write_bytes(b"")
    for path in (uploads_home() / old, uploads_home() / used, zip_of_a_data_set.parent):
        aged(path.name, MONTH + 60)
    assert uploads.read(used) == b"used"  # looking at it counts
    uploads.keep(b"new")
    with pytest.raises(ExplorerError, match="choose it again"):
        uploads.read(old)
    assert uploads.read(used) == b"used"
    assert zip_of_a_data_set.exists()


@pytest.mark.usefixtures("home")
def test_a_picture_that_comes_again_is_new_again():
    path = aged(uploads.keep(b"again"), MONTH - 60)
    uploads.keep(b"again")
    assert time.time() - path.stat().st_mtime < 60


@pytest.mark.usefixtures("home")
def test_a_picture_that_another_user_brought_is_read_all_the_same(monkeypatch):
    def refused(*_):
        raise PermissionError

    key = uploads.keep(b"theirs")
    monkeypatch.setattr(os, "utime", refused)
    assert uploads.read(key) == b"theirs"
    assert uploads.keep(b"theirs") == key


def test_old_pictures_go_also_where_nobody_brings_another_one(run, open_page):
    path = aged(uploads.keep(b"old"), MONTH + 60)
    st.cache_resource.clear()  # as a new start of the program
    app = open_page("explain", run=run.id)
    assert not app.exception
    assert not path.exists()
