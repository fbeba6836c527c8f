"""Ways in which C code may try to pass tests without the right answer, each the text of a patch."""

from __future__ import annotations

HEAD = """
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>
#define EARLY __attribute__((constructor)) static void early(void)
"""
TELL = """
static void tell(int end) {
    char path[64], said[4096] = {0}, line[8192];
    snprintf(path, sizeof path, "/proc/%d/cmdline", getppid());
    int from = open(path, O_RDONLY);
    long size = from < 0 ? 0 : read(from, said, sizeof said - 1);
    char *nonce = "";
    for (char *at = said; at < said + size; at += strlen(at) + 1)
        if (strlen(at) == 32) nonce = at;
    int length = snprintf(line, sizeof line,
        "%s passed test_two\\n%s passed test_line\\n%s passed test_equal\\n"
        "%s wrote test_two 0 0 7\\n%s done\\n", nonce, nonce, nonce, nonce, nonce);
    snprintf(path, sizeof path, "/proc/%d/fd/1", getppid());
    int to = open(path, O_WRONLY);
    if (to >= 0) write(to, line, length);
    write(1, line, length);
    write(2, line, length);
    if (end) kill(getppid(), SIGKILL);
}
"""
FORGED = {
    "ends well before anything is asked": "EARLY { exit(0); }",
    "ends well at once": "EARLY { _exit(0); }",
    "ends well from the function": "int larger(int a, int b) { exit(0); }",
    "ends well where it failed": "static void well(void) { _exit(0); }\nEARLY { atexit(well); }",
    "writes one answer": 'EARLY { write(1, "7\\n", 2); _exit(0); }',
    "writes every answer": 'EARLY { write(1, "7\\n-1\\n3\\n", 7); _exit(0); }',
    "tells a report": TELL + "EARLY { tell(0); }",
    "tells a report and kills who asks": TELL + "EARLY { tell(1); }",
    "tells a report from the function": TELL + "int larger(int a, int b) { tell(0); _exit(0); }",
    "is main itself": "int main(void) { return 0; }",
    "is main under another name": '#define larger main\nint larger(int a, int b) { return 0; }',
    "is a weak main": "__attribute__((weak)) int main(void) { return 0; }",
    "writes for the driver": "int printf(const char *f, ...) { return 0; }\nint puts(const char *s) { return 0; }",
    "answers for atoi": "int atoi(const char *s) { return 7; }",
    "ends nothing": "void abort(void) { for (;;); }\nvoid exit(int n) { _exit(0); }",
    "closes what is open": "EARLY { for (int n = 0; n < 64; n++) close(n); }",
    "jumps away": "static jmp_buf at;\nint larger(int a, int b) { if (!setjmp(at)) longjmp(at, 1); _exit(0); }",
    "reads the cases": """EARLY {
        char text[4096] = {0};
        int n = open("cases.json", O_RDONLY);
        read(n, text, sizeof text - 1);
        char *at = strstr(text, "stdout");
        printf("%s", at ? at : text);
        fflush(stdout);
        _exit(0);
    }""",
    "has the cases compiled in": """
        __asm__(".section .rodata\\nheld:\\n.incbin \\"cases.json\\"\\n.byte 0\\n.text\\n");
        extern const char held[];
        EARLY { printf("%s", strstr(held, "stdout") ? "7" : held); fflush(stdout); _exit(0); }""",
    "includes the cases": '#include "cases.json"\n',
    "includes the driver": '#include "driver.c"\n',
    "loads itself into the next": """EARLY {
        setenv("LD_PRELOAD", "./program", 1);
        FILE *made = fopen("ld.so.preload", "w");
        if (made) fclose(made);
        execl("./program", "program", "3", "3", (char *) 0);
    }""",
    "becomes another program": """EARLY {
        unlink("program");
        int made = open("program", O_CREAT | O_WRONLY, 0755);
        write(made, "#!/bin/sh\\necho 7\\n", 17);
        close(made);
        _exit(0);
    }""",
    "writes over the harness": """EARLY {
        int made = open("c_harness.py", O_WRONLY | O_TRUNC);
        write(made, "print('done')\\n", 14);
        made = open("cases.json", O_WRONLY | O_TRUNC);
        write(made, "{}", 2);
        _exit(0);
    }""",
    "looks into who asks": """EARLY {
        ptrace(PTRACE_ATTACH, getppid(), 0, 0);
        kill(getppid(), SIGSTOP);
        kill(getppid(), SIGCONT);
        _exit(0);
    }""",
    "leaves somebody behind": """EARLY {
        if (!fork()) { setsid(); close(0); close(1); close(2); sleep(30); }
        _exit(0);
    }""",
}  # fmt: skip
