from alexnet_core.runs.snapshots import snapshot_steps


def test_snapshots_are_log_spaced_then_even_and_few() -> None:
    assert snapshot_steps(12, 4) == {0, 1, 2, 4, 8, 12}
    for steps_per_epoch, epochs in [(1, 1), (351, 25), (10, 1000), (10_000, 90)]:
        steps = snapshot_steps(steps_per_epoch * epochs, steps_per_epoch)
        assert {0, 1, steps_per_epoch * epochs} <= steps
        assert len(steps) <= 50
