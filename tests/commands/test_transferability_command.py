import pytest
from small_runs import refusal


@pytest.mark.parametrize("flags", [["--epochs", "2"], ["--layers", "1"], ["--most", "0"], ["--size", "64"]])
def test_a_flag_that_an_experiment_that_goes_on_would_not_heed_is_refused(flags, capsys):
    assert f"leave out {flags[0]}" in refusal(capsys, "transferability", "--resume", "some", *flags)
    assert "no such experiment" in refusal(capsys, "transferability", "--resume", "some")


def test_bad_input_is_one_sentence(capsys):
    assert "no data set" in refusal(capsys, "transferability", "--data", "digitz")
