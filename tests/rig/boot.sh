#!/bin/sh
# First program of a box, already in its own mount, PID, network, UTS, IPC and cgroup namespaces: builds the
# box's root out of the cached file system (read-only, below) and the box's disk (above), and moves into it.
# usage: boot.sh NAME LOWER DISK SHARE [CGROUP_FOLDER CGROUP_OPTIONS]...
set -eu
name=$1 lower=$2 disk=$3 share=$4
shift 4
root=$disk/root

mount --make-rprivate /
mkdir -p "$disk/upper" "$disk/work" "$root" "$disk/docker" "$disk/containerd"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work" "$root"

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o nosuid,nodev,noexec sysfs "$root/sys"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  while [ $# -gt 0 ]; do
    mkdir "$root/sys/fs/cgroup/$1"
    mount -t cgroup -o "$2" cgroup "$root/sys/fs/cgroup/$1"
    shift 2
  done
fi

mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/full" c 1 7
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mkdir -p "$root/run/rig" "$root/run/lock" "$root/var/lib/docker" "$root/var/lib/containerd"
mount --bind "$share" "$root/run/rig"
# An overlay cannot carry another overlay: the engine's folders are plain ones.
mount --bind "$disk/docker" "$root/var/lib/docker"
mount --bind "$disk/containerd" "$root/var/lib/containerd"

hostname "$name"
cd "$root"
mkdir -p .outside
pivot_root . .outside
exec chroot . /bin/sh -c 'cd / && umount -l /.outside && rmdir /.outside && mount --make-rshared / &&
  exec /usr/bin/python3 -I /run/rig/init.py'
