"""-blocksdir: block files stand in another folder, and no two nodes write into the same one."""
import os

from framework import equal, main


def run(t):
    first = t.node()
    first.mine(5)
    second = t.node(start=False)

    # The second node's datadir is its own, but the block files would be the first node's.
    second.start_fails("-blocksdir=" + first.dir, text="Cannot obtain a lock on directory %s." % os.path.join(first.net_dir, "blocks"))
    second.start_fails("-datadir=" + first.dir, text="Cannot obtain a lock on directory %s." % first.net_dir)
    equal(first.getblockcount(), 5)

    elsewhere = os.path.join(t.dir, "elsewhere")
    second.start_fails("-blocksdir=" + elsewhere, text='Specified blocks directory "%s" does not exist.' % elsewhere)
    os.mkdir(elsewhere)
    second.start("-blocksdir=" + elsewhere)
    second.mine(3)
    second.stop()
    files = os.listdir(os.path.join(elsewhere, "regtest", "blocks"))
    assert "blk00000.dat" in files and "rev00000.dat" in files, files
    equal([name for name in os.listdir(os.path.join(second.net_dir, "blocks")) if name.startswith(("blk", "rev"))], [])
    second.start("-blocksdir=" + elsewhere)
    equal(second.getblockcount(), 3)


if __name__ == "__main__":
    main(run)
