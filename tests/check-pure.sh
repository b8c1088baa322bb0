#!/bin/sh
# The protocol core is pure: the objects of common/ (without common/host) and of the UE core have
# no mutable globals (.data and .bss are empty; constant tables in .data.rel.ro are fine) and ask
# nobody for time, randomness, files or sockets.  Needs binutils' size and nm.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..} build=${top_builddir:-.}
passed=0 failed=0

# What no core object may call; __NAME_chk and versioned names count as NAME.
clock='time|clock|clock_gettime|gettimeofday|ftime|timespec_get|localtime|localtime_r|mktime|gmtime'
clock="$clock|sleep|usleep|nanosleep|clock_nanosleep|alarm|setitimer|timer_create|timerfd_create"
entropy='getrandom|getentropy|rand|rand_r|random|srand|srandom|arc4random.*|[delmn]rand48|gnutls_rnd|RAND_.*|uuid_.*'
files='open|open64|openat|creat|fopen|fopen64|fdopen|freopen|read|pread|write|pwrite|close|stat|fstat|lstat|unlink|rename|mkdir'
files="$files|opendir|mmap|ioctl|fcntl|dlopen|xmlReadFile|xmlReadFd|xmlParseFile|json_load_file|json_dump_file"
output='printf|vprintf|fprintf|vfprintf|dprintf|puts|fputs|putc|fputc|putchar|fwrite|perror|syslog|vsyslog|stdout|stderr|stdin'
network='socket|socketpair|connect|bind|listen|accept|accept4|send|sendto|sendmsg|recv|recvfrom|recvmsg|poll|ppoll|select|epoll_.*|getaddrinfo|gethostby.*'
process='getenv|secure_getenv|setenv|putenv|system|popen|fork|vfork|exec.*|posix_spawn.*|signal|sigaction|pthread_create|exit|_exit|setlocale'
impure="^(__)?($clock|$entropy|$files|$output|$network|$process)(_chk)?(@.*)?\$"

fail() {
    echo "FAIL $1: $2"
    failed=$((failed + 1))
}

check_object() { # source object
    if nm "$2" | grep -q ' __[a-z]*san_'; then
        : # a sanitizer's own descriptors are data; the plain build is the one to look at
    else
        writable=$(size -A "$2" | awk '$1 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ &&
            $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {printf "%s(%s) ", $1, $2}')
        [ -z "$writable" ] || { fail "$1" "mutable globals: $writable"; return; }
    fi
    calls=$(nm -u "$2" | awk '{print $NF}' | grep -E "$impure" | tr '\n' ' ')
    [ -z "$calls" ] || { fail "$1" "calls $calls"; return; }
    passed=$((passed + 1))
}

# The object of a source, whatever libtool or a per-target prefix made of its name.
objects_of() { # folder name
    for o in "$build/$1/.libs/$2.o" "$build/$1"/.libs/*-"$2.o" "$build/$1/$2.o" "$build/$1"/*-"$2.o"; do
        [ -f "$o" ] && echo "$o"
    done
}

check_source() { # folder name
    objects=$(objects_of "$1" "$2")
    [ -n "$objects" ] || { fail "$1/$2.c" 'is not built'; return; }
    for o in $objects; do
        check_object "$1/$2.c" "$o"
    done
}

if ! command -v nm >/dev/null || ! command -v size >/dev/null; then
    echo 'skipped: no binutils'
    echo '0 passed, 0 failed, 1 skipped'
    exit 77
fi
for source in "$top"/common/*.c; do
    check_source common "$(basename "$source" .c)"
done
if [ -d "$build/ua" ] && ls "$build"/ua/*.o >/dev/null 2>&1; then
    for name in ub_client ub_messages ua_client ua_messages enrol_client command_client m2m_exchange maf_client leave_client auth_profile est_client keyring; do
        [ ! -f "$top/ua/$name.c" ] || check_source ua "$name"
    done
fi
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
