"""The one account as a file: a new password ends every session at once."""

from services.console.login import MAX_ACCOUNT_BYTES, Account, parse_account
from services.runtime.private_file import PrivateFile


class AccountFile(PrivateFile[Account]):
    """Who may look, as of now."""

    service = "console"
    variable = "SANCTUAIRE_OPERATOR_FILE"
    remedy = "make one with `sanctuaire console password --file PATH`"
    most_bytes = MAX_ACCOUNT_BYTES
    parse = staticmethod(parse_account)
