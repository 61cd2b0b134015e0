"""Completion of farthing-cli in bash, zsh and fish: options, values of some, commands, and nothing behind a command but `help`'s."""
import os
import pty
import shutil
import subprocess
import sys

from framework import BUILD, ROOT, SLOW, contains, equal, main, wait_until

SCRIPTS = os.path.join(ROOT, "contrib", "completions")
CHAINS = ["main", "regtest", "signet", "test", "testnet4"]


class Bash:
    """As bash splits the words: "=" is one."""
    name = "bash"

    def __init__(self, folder):
        self.script = os.path.join(SCRIPTS, "farthing-cli.bash")

    def complete(self, line):
        words = line.replace("=", " = ").split(" ")
        words = [w for i, w in enumerate(words) if w or i == len(words) - 1]
        code = 'compopt() { :; }; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _farthing_cli; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-c", code, self.script, *words], capture_output=True, text=True, check=True)
        equal(done.stderr, "")
        return done.stdout.split()

    def close(self):
        pass


class Zsh:
    """On a terminal, with what compadd is given written to a file."""
    name = "zsh"

    def __init__(self, folder):
        self.out = os.path.join(folder, "zsh.out")
        setup = os.path.join(folder, "setup.zsh")
        with open(setup, "w") as f:
            f.write("""PS1=; PROMPT_EOL_MARK=; LISTMAX=10000; unsetopt beep prompt_cr
path=('%s' $path); fpath=('%s' $fpath); autoload -Uz compinit; compinit -u -D
bindkey '^I' complete-word
compadd() {
    [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]] && { builtin compadd "$@"; return; }
    local -a hits; builtin compadd -A hits "$@"
    (($#hits)) && print -rl -- $hits >> '%s'
    builtin compadd "$@"
}
""" % (BUILD, SCRIPTS, self.out))
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "dumb", "HOME": folder}
        self.process = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment, start_new_session=True)
        os.close(slave)
        self.run(". '%s'" % setup)

    def run(self, line):
        os.write(self.master, (line + "\r print end >> '%s'\r" % self.out).encode())

        def ended():
            if not os.path.exists(self.out):
                return False
            with open(self.out) as f:
                return "end\n" in f.read()
        wait_until(ended, what="zsh")
        with open(self.out) as f:
            found = f.read().split("\n")
        os.remove(self.out)
        return [x for x in found if x and x != "end"]

    def complete(self, line):
        return self.run(line + "\t\x15")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Fish:
    name = "fish"

    def __init__(self, folder):
        self.folder = folder
        self.script = os.path.join(SCRIPTS, "farthing-cli.fish")

    def complete(self, line):
        """The first column; the second describes. An option's value stands behind the option."""
        code = 'source "%s"; complete -C "%s"' % (self.script, line)
        environment = {**os.environ, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "XDG_DATA_HOME": self.folder, "PATH": BUILD + ":" + os.environ["PATH"]}
        done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, cwd=self.folder, env=environment, timeout=60 * SLOW, check=True)
        equal(done.stderr, "")
        return [x.split("\t")[0] for x in done.stdout.split("\n") if x]

    def close(self):
        pass


def options(found):
    return sorted(o.rstrip("=-").split("=")[0] for o in found)


def values(found):
    return sorted(o.split("=")[-1] for o in found)


def all_of(shell):
    """What each shell has to know."""
    c = shell.complete
    equal(sorted(c("farthing-cli getblockh")), ["getblockhash", "getblockheader"])
    equal(c("farthing-cli -regtest getbes"), ["getbestblockhash"])
    equal(c("farthing-cli -regtest -rpcport=1 getbes"), ["getbestblockhash"])
    equal(c("farthing-cli help rpc."), ["rpc.discover"])
    equal([x for x in c("farthing-cli help getblock getb") if x.startswith("getb")], [])
    equal([x for x in c("farthing-cli getblock getb") if x.startswith("getb")], [])
    everything = c("farthing-cli help ")
    for name in ("getblockchaininfo", "stop", "verifytxoutproof"):
        contains(everything, name)
    equal(options(c("farthing-cli -rpcw")), ["-rpcwait", "-rpcwaittimeout", "-rpcwallet"])
    equal(options(c("farthing-cli -neti")), ["-netinfo"])
    equal(values(c("farthing-cli -color=a")), ["always", "auto"])
    equal(values(c("farthing-cli -chain=")), CHAINS)


def run(t):
    found = [shell for shell in (Bash, Zsh, Fish) if shutil.which(shell.name)]
    for shell in found:
        one = shell(t.dir)
        try:
            all_of(one)
        except BaseException:
            print("in %s:" % shell.name)
            raise
        finally:
            one.close()
    missing = {"bash", "zsh", "fish"} - {shell.name for shell in found}
    if missing:
        print("completion was not tried in: %s" % " ".join(sorted(missing)))
    if not found:
        sys.exit(77)
    if "bash" in (shell.name for shell in found):
        one = Bash(t.dir)
        equal(one.complete("farthing-cli -datadir=x"), [])  # files, by bash itself
        equal(one.complete("farthing-cli getblock "), [])


main(run)
