// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * apiclient, for host containers: start the node's own client with the node's own C library.
 *
 * A container has a C library of its own, or none, so what is linked to the node's cannot be started there as it is. This
 * program is static; it starts the node's dynamic loader, tells it where the node's libraries are, and hands all arguments
 * on. The node's files are mounted read-only below DIRECTORY: its libraries at `lib`, everything else as on the node.
 * Options of the loader: ld.so(8).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define DIRECTORY "/usr/lib/pinwheel"
#define LIBRARIES DIRECTORY "/lib"
#define LOADER LIBRARIES "/ld-linux-x86-64.so.2"

int main(int argc, char **argv)
{
    static char *const start[] = {LOADER, "--library-path", LIBRARIES, DIRECTORY "/launch", "apiclient"};
    const size_t words = sizeof(start) / sizeof(start[0]);
    const size_t count = argc > 1 ? (size_t)argc - 1 : 0;

    char **command = calloc(words + count + 1, sizeof(char *));
    if (!command) {
        perror("apiclient");
        return EX_OSERR;
    }
    memcpy(command, start, sizeof(start));
    if (count)
        memcpy(command + words, argv + 1, count * sizeof(char *));
    execv(LOADER, command);
    perror("apiclient: " LOADER);
    return EX_UNAVAILABLE;
}
