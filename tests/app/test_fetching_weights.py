"""ImageNet weights that a page fetches: with a bar, only when asked, and never an answer without them."""

from alexnet_core.errors import ExplorerError


def test_the_family_fetches_with_the_same_bar_and_bears_more_than_was_promised(run, open_page, monkeypatch):
    fetched = []

    def too_much(model, progress):
        fetched.append(model)
        progress(6_000_000, 5_000_000, "downloading")
        raise ExplorerError("The ImageNet weights could not be fetched.")

    monkeypatch.setattr("app.fetching.imagenet_file", too_much)
    app = open_page("family")
    app.session_state["family_tabs"] = ":material/image_search: One picture through all"
    app.run()
    next(button for button in app.button if button.label == "Fetch the weights").click().run()
    assert not app.exception
    assert len(fetched) == 1
    assert "could not be fetched" in app.error[0].value


def test_a_page_asks_before_it_fetches_and_answers_nothing_until_then(run, open_page, monkeypatch):
    fetched = []

    def broken_off(model, progress):
        fetched.append(model)
        progress(1_000_000, 5_000_000, "downloading")
        raise ExplorerError("The ImageNet weights could not be fetched (broken off). 1 MB have arrived and are kept.")

    monkeypatch.setattr("app.fetching.imagenet_file", broken_off)
    app = open_page("explain", run="imagenet-squeezenet1_1")
    assert not app.exception
    assert "not on this computer yet" in app.info[0].value
    assert fetched == []
    assert not app.get("plotly_chart")
    next(button for button in app.button if button.label == "Fetch the weights").click().run()
    assert not app.exception
    assert fetched == ["squeezenet1_1"]
    assert "are kept" in app.error[0].value
    assert not app.get("plotly_chart")
