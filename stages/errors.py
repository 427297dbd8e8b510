"""Expected trouble: what a user can mend, told in one line."""


class Trouble(Exception):
    """What was found, what was wanted and the way out, in one line; shown without a traceback."""


class TransientTrouble(Trouble):
    """Trouble that may pass by itself (a server that does not answer); the flow tries again with back-off."""


TRANSIENT_EXIT = 75  # EX_TEMPFAIL of sysexits.h
