"""Does a run survive everything, to the bit? `make endurance` asks in full, `make test` in short.

    runs.py        the small data set, the settings, a run, and `differences`: the one comparison everything ends with
    child.py       a process that runs the real `train --resume`, forked from one that has torch imported already
    broken.py      the engine broken on purpose, in the child: shows that the comparison can fail
    kills.py       SIGKILL at random instants, inside the saving of a checkpoint, before the first one
    damage.py      the newest checkpoint cut, flipped, emptied, replaced by noise
    signals.py     SIGTERM and Ctrl-C from start-up to the last evaluation, sent to the command a person types
    trouble.py     a full disk, a loss that is no number, too little memory, pictures that cannot be read
    __main__.py    all of it in turn, a table, endurance.json among the benchmarks' results of this kind of machine

Every trial has the same shape: an undisturbed run is the reference; another one with the same settings is disturbed,
taken up again until it ends by itself, and must hold the same bytes.
"""
