#!/bin/sh
# The protocol core is pure: the objects of common/ (without common/host) and of the UE core have
# no mutable globals (.data and .bss are empty; constant tables in .data.rel.ro are fine) and ask
# nobody for time, randomness, files or sockets.  Needs binutils' size and nm.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..} build=${top_builddir:-.}

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

if ! command -v nm >/dev/null || ! command -v size >/dev/null; then
    echo 'skipped: no binutils'
    echo '0 passed, 0 failed, 1 skipped'
    exit 77
fi

set -- "$top"/common/*.c
if [ -d "$build/ua" ] && ls "$build"/ua/*.o >/dev/null 2>&1; then
    for name in ub_client ub_messages ua_client ua_messages enrol_client command_client m2m_exchange maf_client leave_client auth_profile est_client keyring; do
        [ ! -f "$top/ua/$name.c" ] || set -- "$@" "$top/ua/$name.c"
    done
fi

# The objects of a source, whatever libtool or a per-target prefix made of its name; then what is
# in all of them.
{
    objects=
    for source; do
        source=${source#"$top/"} before=$objects
        folder=$build/${source%/*} name=${source##*/}
        name=${name%.c}
        for o in "$folder/.libs/$name.o" "$folder"/.libs/*-"$name.o" "$folder/$name.o" "$folder"/*-"$name.o"; do
            [ -f "$o" ] || continue
            echo "source $source $o"
            objects="$objects $o"
        done
        [ "$objects" != "$before" ] || echo "source $source"
    done
    # shellcheck disable=SC2086
    [ -z "$objects" ] || { nm -A $objects; size -A $objects; }
} | awk -v impure="$impure" '
    function fail(source, why) {
        print "FAIL " source ": " why
        failed++
    }
    $1 == "source" { if (NF == 3) source[$3] = $2; else fail($2, "is not built"); next }
    # of size, which comes last
    $2 == ":" { object = $1; next }
    # of nm: OBJECT:ADDRESS TYPE NAME, without an address where it is not defined
    !object {
        name = $1
        sub(/:[0-9a-f]*$/, "", name)
        # a sanitizer has its own descriptors as data; the plain build is the one to look at
        if ($NF ~ /^__[a-z]*san_/) sanitized[name]
        if ($1 ~ /:$/ && $NF ~ impure) calls[name] = calls[name] $NF " "
        next
    }
    $1 ~ /^\.(data|bss|tdata|tbss)(\.|$)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
        writable[object] = writable[object] $1 "(" $2 ") "
    }
    END {
        for (o in source) {
            if (writable[o] && !(o in sanitized)) fail(source[o], "mutable globals: " writable[o])
            else if (calls[o]) fail(source[o], "calls " calls[o])
            else passed++
        }
        print passed + 0 " passed, " failed + 0 " failed, 0 skipped"
        exit failed || !passed
    }'
