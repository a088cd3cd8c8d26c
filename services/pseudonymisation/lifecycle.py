"""How a keyring goes on: each step gives the keyring that follows, or says why there is none. Pure."""

from dataclasses import replace

from services.contract.errors import WrongSettings
from services.pseudonymisation.keyring import Epoch, EpochState, Generation, Keyring
from services.pseudonymisation.secret import Secret, refuse_weak_key

PENDING, ACTIVE, DUAL = EpochState.PENDING, EpochState.ACTIVE, EpochState.DUAL
RETIRED, DESTROYED = EpochState.RETIRED, EpochState.DESTROYED


def prepared(keyring: Keyring, root: bytes) -> Keyring:
    """Lay the root of the next epoch by, so that every worker has it before anything is named with it."""
    if keyring.epochs[-1].state is PENDING:
        raise WrongSettings(
            f"epoch {keyring.epochs[-1].number} is prepared already; go on with `sanctuaire keys rotate`"
        )
    refuse_weak_key(root, "root")
    return replace(keyring, epochs=(*keyring.epochs, Epoch(keyring.epochs[-1].number + 1, PENDING, Secret(root))))


def activated(keyring: Keyring) -> Keyring:
    """Name with the prepared epoch from the next serial on; the one before is DUAL."""
    if keyring.epochs[-1].state is not PENDING:
        raise WrongSettings("no epoch is prepared; prepare one with `sanctuaire keys rotate --prepare`")
    if any(epoch.state is DUAL for epoch in keyring.epochs):
        raise WrongSettings("the rotation before has not ended; end it with `sanctuaire keys retire`")
    following = {PENDING: ACTIVE, ACTIVE: DUAL}
    serial = keyring.serial + 1
    epochs = tuple(
        replace(
            each, state=following.get(each.state, each.state), since=serial if each.state is PENDING else each.since
        )
        for each in keyring.epochs
    )
    return replace(keyring, epochs=epochs, serial=serial)


def rekeyed(keyring: Keyring, provider: str) -> Keyring:
    """Give one provider another key from the next serial on, whatever else goes on."""
    serial, known = keyring.serial + 1, keyring.generations
    if all(each.provider != provider for each in known):
        known = (*known, Generation(provider, 0, ACTIVE, 0))
    known = tuple(
        replace(each, state=DUAL) if (each.provider, each.state) == (provider, ACTIVE) else each for each in known
    )
    following = Generation(provider, keyring.generation(provider) + 1, ACTIVE, serial)
    generations = sorted((*known, following), key=lambda each: (each.provider, each.number))
    return replace(keyring, generations=tuple(generations), serial=serial)


def retired(keyring: Keyring) -> Keyring:
    """End what is DUAL: nobody is known by a name of before any more, which is for the caller to have made sure of."""
    if not keyring.is_rotating:
        raise WrongSettings("no rotation is under way; begin one with `sanctuaire keys rotate`")
    return replace(
        keyring,
        epochs=tuple(replace(each, state=RETIRED) if each.state is DUAL else each for each in keyring.epochs),
        generations=tuple(replace(each, state=RETIRED) if each.state is DUAL else each for each in keyring.generations),
    )


def destroyed(keyring: Keyring, number: int) -> Keyring:
    """Forget a retired root, for good; that nothing lives under it is for the caller to have made sure of."""
    state = next((epoch.state for epoch in keyring.epochs if epoch.number == number), None)
    if state is not RETIRED:
        raise WrongSettings(
            f"epoch {number} is {state or 'unknown'}: only a retired root is destroyed; see `sanctuaire keys status`"
        )
    return replace(
        keyring,
        epochs=tuple(
            replace(each, state=DESTROYED, root=None) if each.number == number else each for each in keyring.epochs
        ),
    )
