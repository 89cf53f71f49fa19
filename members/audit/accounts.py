"""Of an account: that its address, password or second factor changed. Not to what."""

from functools import partial
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa

from members.audit.collecting import note
from members.audit.things import Thing, Verb

RECORDED = {
    Thing.ADDRESS: (account.email_changed,),
    Thing.PASSWORD: (account.password_set, account.password_changed, account.password_reset),
    Thing.SECOND_FACTOR: (
        mfa.authenticator_added,
        mfa.authenticator_removed,
        mfa.authenticator_reset,
    ),
}


def listen() -> None:
    """Put each change on record; called once, when the app is ready."""
    for thing, signals in RECORDED.items():
        for signal in signals:
            signal.connect(partial(_changed, thing), weak=False, dispatch_uid=f"audit {thing}")


def _changed(thing: Thing, sender: Any = None, **kwargs: Any) -> None:
    note(Verb.CHANGED, thing)
