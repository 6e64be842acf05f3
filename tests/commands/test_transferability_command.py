import pytest
from small_runs import refusal

from alexnet_core.__main__ import main
from alexnet_core.commands.train import INTERRUPTED
from alexnet_core.runs import transferability as study


@pytest.mark.parametrize("flags", [["--epochs", "2"], ["--layers", "1"], ["--most", "0"], ["--size", "64"]])
def test_a_flag_that_an_experiment_that_goes_on_would_not_heed_is_refused(flags, capsys):
    assert f"leave out {flags[0]}" in refusal(capsys, "transferability", "--resume", "some", *flags)
    assert "no such experiment" in refusal(capsys, "transferability", "--resume", "some")


def test_what_ends_early_says_why_in_its_last_line(digits, capsys, monkeypatch):
    said = "base B: Interrupted after step 3. Resume to go on."
    monkeypatch.setattr(study, "carry_out", lambda asked, _: iter([(0, study.parts(asked)[0], said)]))
    with pytest.raises(SystemExit) as left:
        main(["transferability", "--data", str(digits.directory), "--layers", "2", "--epochs", "1"])
    assert left.value.code == INTERRUPTED
    assert capsys.readouterr().out.splitlines()[-1] == f"Ended early. {said}"


def test_bad_input_is_one_sentence(capsys):
    assert "no data set" in refusal(capsys, "transferability", "--data", "digitz")
