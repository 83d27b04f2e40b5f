"""Running a program as somebody else than root, for programs that refuse to run as root, as PostgreSQL does.

The account is the owner of the program's data, else of its folder, else ``nobody``. Where that account may not enter
the folders above (``/root`` is 0700), the program gets one capability with `setpriv` that lets it pass; no permission
of anything is changed. Source: capabilities(7), setpriv(1) of util-linux.
"""

import contextlib
import os
import pwd
import subprocess
from pathlib import Path

from include.insight_invest.errors import ConfigurationError


def account(*places: Path) -> pwd.struct_passwd | None:
    """Whom root runs a program as: the owner of the first of ``places`` that is not root's, else nobody.

    None for everyone but root, who run it as themselves.
    """
    if os.geteuid() != 0:
        return None
    for place in places:
        with contextlib.suppress(
            FileNotFoundError, KeyError
        ):  # KeyError: an owner without an account, as in a container
            if (owner := place.stat().st_uid) != 0:
                return pwd.getpwuid(owner)
    return pwd.getpwnam("nobody")


def prefix(user: pwd.struct_passwd | None, program: Path, folder: Path) -> list[str]:
    """What to write before a command so that ``user`` can run ``program`` on ``folder``, with the least that lets it.

    Read-and-search lets it enter folders; a checkout made under umask 077 also bars the program itself. Raises
    ConfigurationError where even that does not help.
    """
    if user is None:
        return []
    identity = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs"]
    probe = ["/usr/bin/env", "test", "-x", str(program), "-a", "-x", str(folder)]
    for grant in ("-all", "-all,+dac_read_search", "-all,+dac_override"):
        # no_setuid_fixup: without it access(2), by which PostgreSQL finds itself, ignores the granted capability.
        fixup = [] if grant == "-all" else ["--securebits=+no_setuid_fixup"]
        command = [*identity, *fixup, f"--inh-caps={grant}", f"--ambient-caps={grant}"]
        with contextlib.suppress(FileNotFoundError):
            if subprocess.run([*command, *probe], capture_output=True, check=False).returncode == 0:
                return command
    raise ConfigurationError(
        f"{program.name} does not run as root, and {user.pw_name} may not enter {folder}, or setpriv is missing: put "
        "the checkout where other users may go, or run as another user."
    )
