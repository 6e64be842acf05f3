"""The one kind of failure that is meant for people."""


class ExplorerError(Exception):
    """What is wrong and what to do about it, in a sentence or two fit for the screen.

    Raised for everything a person can put right: a bad file, an unknown name, a full disk. The command line prints
    the message and exits with 2; the app shows it on the page. A bug raises anything else and keeps its traceback.

    `remedy` names one setting and the value to try in its place, where the program knows them: the app makes a button
    of it.
    """

    def __init__(self, message: str, remedy: tuple[str, float] | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
