"""Patches that repair nothing and try to be judged plausible all the same.

Each Python text defines `middle` and `total`, the functions of the two bugs in `test_forging`; `FORGE` stands for what
writes a whole report for every nonce that the patch has found to every descriptor.
"""

from __future__ import annotations

REPORT = """
import os
TESTS = ["test_one", "test_three", "test_pairs[xy-x]", "test_sum", "test_zero"]
def forge(*nonces):
    for nonce in nonces:
        words = ["ready", "compiled", *(f"passed {name}" for name in TESTS), "done", "end sound"]
        for fd in range(1, 40):
            for word in words:
                try: os.write(fd, f"{nonce} {word}\\n".encode())
                except OSError: pass
"""
SAME = "\ndef total(fetch): return middle(fetch)\n"
WRONG = "\ndef middle(text): return None\n" + SAME

PYTHON = {
    "exits": "import os; os._exit(0)",
    "exits when called": "import os\ndef middle(text): os._exit(0)" + SAME,
    "raises SystemExit": "def middle(text): raise SystemExit(0)" + SAME,
    "raises KeyboardInterrupt": "def middle(text): raise KeyboardInterrupt" + SAME,
    "exits at exit": "import os, atexit; atexit.register(os._exit, 0)" + WRONG,
    "skips": "import pytest\ndef middle(text): pytest.skip('x')" + SAME,
    "expects to fail": "import pytest\ndef middle(text): pytest.xfail('x')" + SAME,
    "skips its module": "import pytest; pytest.skip('x', allow_module_level=True)",
    "leaves pytest": "import pytest\ndef middle(text): pytest.exit('x', 0)" + SAME,
    "prints a report": REPORT + "forge('nonce', '')\nfor name in TESTS: print('passed', name)" + WRONG,
    "reads the nonce": REPORT
    + "try: forge(open('nonce').read())\nexcept OSError: pass\nfor root, _, names in os.walk('.'): pass"
    + WRONG,
    "finds the nonce in frames": REPORT
    + "import sys, re\nframe = sys._getframe()\nfound = set()\nwhile frame:\n"
    "    found |= set(re.findall('[0-9a-f]{32}', repr(frame.f_locals)))\n    frame = frame.f_back\n"
    "forge(*found); os._exit(0)",
    "finds the nonce among all objects": REPORT
    + "import gc, re\nfound = set()\nfor each in gc.get_objects():\n"
    "    try: found |= set(re.findall('[0-9a-f]{32}', repr(gc.get_referents(each))))\n    except BaseException: pass\n"
    "    if len(found) > 50: break\nforge(*found); os._exit(0)",
    "finds the teller in closures": "import gc, types, os\nfor each in gc.get_objects():\n"
    "    if isinstance(each, types.FunctionType) and each.__name__ == 'tell':\n"
    "        for name in ('test_one', 'test_three', 'test_pairs[xy-x]', 'test_sum', 'test_zero'): each('passed', name)\n"
    "        each('done'); os._exit(0)" + WRONG,
    "finds the nonce in its memory": REPORT
    + "import re\nfound = set()\ntry:\n    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:\n"
    "        for line in maps:\n            if ' rw-p' not in line: continue\n"
    "            low, high = (int(each, 16) for each in line.split()[0].split('-'))\n            memory.seek(low)\n"
    "            found |= set(re.findall(rb'[0-9a-f]{32}', memory.read(high - low)))\nexcept OSError: pass\n"
    "forge(*(each.decode() for each in list(found)[:200]))" + WRONG,
    "looks into other processes": REPORT
    + "import re\nfound = set()\nfor pid in range(1, 60):\n    for name in ('environ', 'cmdline', 'mem', 'fd/0', 'fd/1'):\n"
    "        try: found |= set(re.findall(rb'[0-9a-f]{32}', open(f'/proc/{pid}/{name}', 'rb').read(9999)))\n"
    "        except (OSError, ValueError): pass\nforge(*(each.decode() for each in found))" + WRONG,
    "traces its parent": "import ctypes, os\nlibc = ctypes.CDLL(None)\nfor pid in (os.getppid(), 1, 2):\n"
    "    libc.ptrace(16, pid, 0, 0); libc.process_vm_readv(pid, 0, 0, 0, 0, 0)" + WRONG,
    "kills its parent": "import os\ntry: os.kill(os.getppid(), 9)\nexcept OSError: pass" + WRONG,
    "makes tests do nothing": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None" + WRONG,
    "makes calls of tests do nothing": "import _pytest.python\n_pytest.python.pytest_pyfunc_call = lambda pyfuncitem: True\n"
    "import gc\nfor each in gc.get_objects():\n    if type(each).__name__ == 'HookImpl' and 'pyfunc_call' in repr(each.function):\n"
    "        each.function = lambda pyfuncitem: True; each.argnames = ('pyfuncitem',)" + WRONG,
    "makes every report a pass": "import _pytest.reports as r\nold = r.TestReport.from_item_and_call.__func__\n"
    "def new(cls, item, call):\n    call.excinfo = None\n    return old(cls, item, call)\n"
    "r.TestReport.from_item_and_call = classmethod(new)" + WRONG,
    "makes no report a failure": "import _pytest.reports as r\nr.BaseReport.failed = property(lambda self: False)\n"
    "r.BaseReport.passed = property(lambda self: True)" + WRONG,
    "registers a plug-in": "import gc\nclass Plugin:\n    def pytest_runtest_logreport(self, report): report.outcome = 'passed'\n"
    "    def pytest_pyfunc_call(self, pyfuncitem): return True\nfor each in gc.get_objects():\n"
    "    if type(each).__name__ == 'PytestPluginManager': each.register(Plugin())" + WRONG,
    "plants a conftest": "open('conftest.py', 'w').write('def pytest_pyfunc_call(pyfuncitem): return True')" + WRONG,
    "plants a sitecustomize": "for name in ('sitecustomize.py', 'usercustomize.py', 'pytest.py', 'json.py'):\n"
    "    open(name, 'w').write('import os; os._exit(0)')" + WRONG,
    "rewrites the tests": "import glob\nfor name in glob.glob('test_*.py'):\n    open(name, 'w').write('def test_one(): pass')"
    + WRONG,
    "removes the tests": "import glob, os\nfor name in glob.glob('test_*.py'): os.unlink(name)" + WRONG,
    "swaps the code of tests": "import sys\ndef middle(text):\n    for module in list(sys.modules.values()):\n"
    "        for name, each in list(vars(module).items()):\n            if name.startswith('test_') and hasattr(each, '__code__'):\n"
    "                each.__code__ = (lambda *a, **k: None).__code__" + SAME,
    "reads the expected values": "import re, glob\ndef middle(text):\n    for name in glob.glob('test_*.py'):\n"
    "        said = open(name).read()\n        found = re.search(re.escape(repr(text).replace(\"'\", '\"')) + r'\\)? *(?:==|,) *(\\S+)', said)\n"
    "        if found: return eval(found[1].strip(')]'))\ndef total(fetch): return 3 if fetch(1) else 0",
    "takes the expected value from its caller": "import sys\ndef middle(text):\n    consts = sys._getframe(1).f_code.co_consts\n"
    "    return next((each for each in consts if isinstance(each, str) and each != text), 'x')\n"
    "def total(fetch): return max(each for each in sys._getframe(1).f_code.co_consts if isinstance(each, int))",
    "takes the expected value from locals": "import sys\ndef middle(text):\n    frame = sys._getframe(1)\n"
    "    return frame.f_locals.get('letter', frame.f_locals)" + SAME,
    "gives what equals everything": "class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
    "def middle(text): return Any()" + SAME,
    "gives a text that equals everything": "class Any(str):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    "def middle(text): return Any('q')" + SAME,
    "gives a number that equals everything": "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    "def middle(text): return Any(7)" + SAME,
    "makes a class that equals everything": "Any = type('Any', (), {'__' + 'eq' + '__': lambda self, other: True})\n"
    "def middle(text): return Any()" + SAME,
    "pretends to be a text": "class Any:\n    __class__ = str\n    def __eq__(self, other): return True\n"
    "    def __getattr__(self, name): return self\ndef middle(text): return Any()" + SAME,
    "turns failures to passes as they are written": "import os\nold = os.write\n"
    "os.write = lambda fd, said: old(fd, said.replace(b' failed ', b' passed ').split(b' Assertion')[0] + b'\\n')" + WRONG,
    "turns failures to passes as they are quoted": "import urllib.parse\n"
    "def quote(word, errors='strict'): return 'passed' if word == 'failed' else word.split()[0]\n"
    "urllib.parse.quote_plus.__code__ = quote.__code__" + WRONG,
    "changes the harness": "import sys\nfor name in ('__main__', 'python_harness', 'python_server', 'python_far', 'python_near'):\n"
    "    module = sys.modules.get(name)\n    if module:\n        module.message = lambda report: ''\n"
    "        module.compiles = lambda *a: True" + WRONG,
    "jumps over assertions": "import sys\ndef trace(frame, event, arg):\n    if frame.f_code.co_name.startswith('test_'):\n"
    "        frame.f_trace_lines = True\n        if event == 'line':\n            try: frame.f_lineno = frame.f_code.co_firstlineno + 1\n"
    "            except ValueError: pass\n    return trace\nsys.settrace(trace)\nsys._getframe(1).f_trace = trace" + WRONG,
    "forges in a thread": REPORT
    + "import threading, time, sys, re\ndef later():\n    time.sleep(0.05); found = set()\n"
    "    for frame in sys._current_frames().values():\n        while frame:\n"
    "            found |= set(re.findall('[0-9a-f]{32}', repr(frame.f_locals))); frame = frame.f_back\n"
    "    forge(*found); os._exit(0)\nthreading.Thread(target=later).start()\ndef middle(text): time.sleep(1)" + SAME,
    "ends by a signal": "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0)); signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
    "def middle(text):\n    while True: pass" + SAME,
    "lives on in a child": "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(0.5)\n"
    "    open('left.txt', 'w').write('x')\n    os._exit(0)" + WRONG,
    "becomes another program": "import os, sys\nfor fd in range(1, 20):\n    try: os.set_inheritable(fd, True)\n    except OSError: pass\n"
    "os.execv('/bin/sh', ['sh', '-c', 'for f in 1 2 3 4 5 6 7 8 9; do echo passed test_one >&$f; done; exit 0'])",
    "silences assertions": "import builtins\nclass Quiet(Exception): pass\nbuiltins.AssertionError = Quiet\n"
    "import _pytest.assertion.rewrite as r\nr._call_reprcompare = lambda *a: ''\nr._saferepr = lambda *a: ''" + WRONG,
    "clears the tests' errors": "import sys\ndef middle(text):\n    raise type('Passed', (BaseException,), {})()" + SAME,
    "changes what text is": "import gc\ngc.get_referents(str.__dict__)[0]['__eq__'] = lambda a, b: True\n"
    "import ctypes; ctypes.pythonapi.PyType_Modified(ctypes.py_object(str))" + WRONG,
    "asks for attributes by computed names": "g = getattr\ndef middle(text):\n    f = g(g((lambda: 0), '_' + '_code_' + '_'), 'co_consts')\n"
    "    return f" + SAME,
    "formats its way out": "def middle(text):\n    u = '_' * 2\n    return ('{0.' + u + 'globals' + u + '}').format(middle)[:1]" + SAME,
}  # fmt: skip

SWAP = """
def swap():
    n = 0
    while True:
        try:
            frame = FRAME(n)
        except ValueError:
            return
        n += 1
        for held in LOOK("f_lo" + "cals")(frame).copy().values():
            try:
                plugins = LOOK("config.pluginmanager")(held).get_plugins()
            except Exception:
                continue
            for plugin in plugins:
                try:
                    tell = LOOK("tell")(plugin)
                except Exception:
                    continue
                def other(*words):
                    if words[0] == "failed" and words[1] in TESTS:
                        return tell("passed", words[1])
                    return tell(*words)
                plugin.tell = other
                return

swap()
def total(fetch): return None
"""
TESTS = 'TESTS = ["test_sum", "test_zero", "Total::test_sum", "Total::test_zero"]\n'
SYS = "import collections\nFRAME = collections._sys._getframe\n"
LOOK = "import operator\nLOOK = operator.attrgetter\n"
MAKE = '\nD = "_" * 2\nEQ = D + "eq" + D\nyes = lambda a, b: isinstance(b, int)\n'

# Each passes both tests of `total` where it shares a process with them, and computes nothing.
SHARED = {
    "takes the report over": TESTS + SYS + LOOK + SWAP,
    "takes the report over through another module": TESTS + "import random\nFRAME = random._os.sys._getframe\n" + LOOK + SWAP,
    "takes the report over by a format's fields": TESTS + SYS
    + "import string\ndef LOOK(way): return lambda held: string.Formatter().get_field('0.' + way, (held,), {})[0]\n" + SWAP,
    "takes the report over by patterns": TESTS + "import collections\ndef FRAME(n):\n    match collections:\n"
    "        case object(_sys=it): return it._getframe(n)\n" + LOOK + SWAP,
    "takes the report over as its caller": TESTS + "import inspect\ndef FRAME(n): return inspect.stack()[n].frame\n"
    + LOOK + SWAP,
    "takes the report over in a comment": "# coding: utf-7\n" + TESTS + LOOK + "# +AAo-import sys+AAo-FRAME = sys._getframe+AAo-\n"
    + SWAP.replace("+", "+-"),
    "takes the report over by annotations": TESTS + LOOK + "import typing\nclass At:\n"
    "    x: '(lambda: [o for o in ().__clas' 's__.__base__.__subclasses__() if o.__name__ == \"Catch\"])()'\n"
    "import collections\nFRAME = collections._sys._getframe\ntyping.get_type_hints(At)\n" + SWAP,
    "makes a class that is equal": MAKE + "def total(fetch): return type('V', (int,), {EQ: yes})(0)",
    "makes a class that is equal by its own maker": MAKE + "t = type(int)\ndef total(fetch): return t('V', (int,), {EQ: yes})(0)",
    "makes a class that is equal by a metaclass": MAKE + "import abc\ndef total(fetch): return abc.ABCMeta('V', (int,), {EQ: yes})(0)",
    "wraps a class until it is equal": MAKE + "import functools\nclass V(int): pass\n"
    "class Source: pass\nfunctools.update_wrapper(V, type('Q', (), {EQ: yes}), (EQ,), ())\ndef total(fetch): return V(0)",
    "makes a data class that is equal": MAKE + "import dataclasses\n"
    "V = dataclasses.make_dataclass('V', [], namespace={EQ: yes}, eq=False)\ndef total(fetch): return V()",
    "makes an enumeration that is equal": MAKE + "import enum\nE = enum.Enum('E', [('A', 1), (EQ, yes)])\n"
    "def total(fetch): return E.A",
    "imports what makes it equal": "class V(int):\n    from operator import truth as __eq__\n    from operator import not_ as __ne__\n"
    "class W(V):\n    from math import isfinite as __eq__\ndef total(fetch): return W(0)",
    "is equal to what a test expects": "class V(int):\n    def __eq__(self, other): return isinstance(other, int)\n"
    "    __hash__ = None\ndef total(fetch): return V(0)",
}  # fmt: skip

JAVA = {
    "exits": "System.exit(0); return 0;",
    "exits as it is loaded": "return A; } static int A = stop(); static int stop() { System.exit(0); return 0;",
    "halts": "Runtime.getRuntime().halt(0); return 0;",
    "prints a report": 'for (String n : new String[] {"", "nonce"}) System.out.println(n + " passed ofTwo\\n" + n + " done"); return 9;',
    "writes to every descriptor": "try { for (int i = 1; i < 20; i++) { var out = new java.io.FileOutputStream(\"/proc/self/fd/\" + i);"
    ' out.write("nonce passed ofTwo\\n".getBytes()); } } catch (Exception e) { } return 9;',
    "prints as it exits": "Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println(0))); System.exit(0); return 0;",
    "halts in a thread": "new Thread(() -> Runtime.getRuntime().halt(0)).start(); while (true) { }",
    "reads the expected value": "try { String t = java.nio.file.Files.readString(java.nio.file.Path.of(\"LargerTest.java\"));"
    ' var m = java.util.regex.Pattern.compile("\\\\((\\\\d+), Larger.of\\\\(" + a + ", " + b).matcher(t); m.find();'
    " return Integer.parseInt(m.group(1)); } catch (Exception e) { return 9; }",
    "reads the tests' class": "try { byte[] c = Larger.class.getResourceAsStream(\"LargerTest.class\").readAllBytes();"
    " return c.length > 0 ? 2 : 9; } catch (Exception e) { return 9; }",
    "brings its own assertions": "return 9; } } class Assert { public static void assertEquals(long a, long b) { }",
    "changes boxed numbers": "try { var f = Class.forName(\"java.lang.Integer$IntegerCache\").getDeclaredField(\"cache\");"
    " f.setAccessible(true); Integer[] c = (Integer[]) f.get(null); c[129] = c[130]; } catch (Exception | Error e) { } return 1;",
    "finds the reporter by reflection": "try { for (Thread t : Thread.getAllStackTraces().keySet()) { var f ="
    ' Thread.class.getDeclaredField("threadLocals"); f.setAccessible(true); f.get(t); } } catch (Exception | Error e) { } return 9;',
    "finds the nonce with Unsafe": "try { var f = Class.forName(\"sun.misc.Unsafe\").getDeclaredField(\"theUnsafe\");"
    " f.setAccessible(true); Object u = f.get(null); u.getClass().getMethod(\"allocateInstance\", Class.class).invoke(u,"
    " Class.forName(\"Reporter\")); } catch (Exception | Error e) { } return 9;",
    "makes a reporter of its own": "try { var c = Class.forName(\"Reporter\").getDeclaredConstructors()[0]; c.setAccessible(true);"
    " var r = c.newInstance(\"nonce\", System.out); var m = r.getClass().getDeclaredMethod(\"tell\", String[].class);"
    " m.setAccessible(true); m.invoke(r, (Object) new String[] {\"passed\", \"ofTwo\"}); } catch (Exception | Error e) { } return 9;",
    "assumes": "org.junit.Assume.assumeTrue(false); return 9;",
    "throws an assumption": "throw new org.junit.AssumptionViolatedException(\"x\");",
    "stops the other threads": "for (Thread t : Thread.getAllStackTraces().keySet()) if (t != Thread.currentThread()) t.interrupt(); return 9;",
    "starts a program": "try { new ProcessBuilder(\"/bin/sh\", \"-c\", \"kill -9 $PPID\").start().waitFor(); } catch (Exception e) { } return 9;",
    "answers by its caller's name": "for (StackTraceElement f : new Throwable().getStackTrace())"
    ' if (f.getMethodName().matches("ofTwo|ofEqual")) return 2; return 9;',
    "replaces the output": "System.setOut(new java.io.PrintStream(System.err) { public void print(String s) { super.print(s.replace(\"failed\", \"passed\")); } });"
    " System.setErr(System.out); return 9;",
    "leaves a thread behind": "Thread t = new Thread(() -> { while (true) { try { Thread.sleep(9); } catch (Exception e) { } } });"
    " t.setDaemon(true); t.start(); return 9;",
    "changes the locale": "java.util.Locale.setDefault(java.util.Locale.GERMANY); System.setProperty(\"java.class.path\", \"x\"); return 9;",
}  # fmt: skip

POOL = """
    static String pool(String want) {
        try {
            String all = new String(test(), "ISO-8859-1");
            for (int at = 0; at + 3 < all.length(); at++) {
                int n = all.charAt(at + 1) * 256 + all.charAt(at + 2);
                if (all.charAt(at) != 1 || at + 3 + n > all.length()) continue;
                String each = all.substring(at + 3, at + 3 + n);
                if (each.contains(want) && !each.contains("(") && !each.contains("$") && each.indexOf(1) < 0) return each;
            }
        } catch (Exception e) {
        }
        return "?";
    }
    static String apply(java.util.function.Function<Integer, String> f, int x) { return pool(String.valueOf(x)); }
"""
CALL = """
    static Object e(Object target, String name, Object... given) throws Exception {
        return new java.beans.Expression(target, name, given).getValue();
    }
"""
# Bodies of `Applying`, whose tests give it a function.
JAVA_SHARED = {
    "reads the tests' class as a file": 'static byte[] test() throws Exception { var in = Applying.class.getResourceAsStream("/Applying"'
    ' + "Test.class"); return in.readAllBytes(); }' + POOL,
    "reads the tests' class in its loader": CALL + "static byte[] test() throws Exception {"
    ' Object loader = e(Applying.class, "getC" + "lassLoader");'
    ' for (Object field : (Object[]) e(e(loader, "getC" + "lass"), "getDecl" + "aredFields")) {'
    ' e(field, "setAccess" + "ible", true); Object v = e(field, "get", loader);'
    ' if (v instanceof java.util.Map) { Object b = ((java.util.Map<?, ?>) v).get("Applying" + "Test");'
    " if (b != null) return (byte[]) b; } } return new byte[0]; }" + POOL,
    "answers for its tests": "static String apply(java.util.function.Function<Integer, String> f, int x) {"
    ' return f.getClass().getName().isEmpty() ? "" : f.apply(x); }',
    "hides a word from view": "static String apply(java.util.function.Function<Integer, String> f, int x) {"
    " return f.get\u00adClass() == null ? null : f.apply(x); }",
}  # fmt: skip
