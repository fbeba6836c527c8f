BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE bug (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	bug_id VARCHAR NOT NULL, 
	language VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	cwe VARCHAR NOT NULL, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	buggy VARCHAR NOT NULL, 
	fixed VARCHAR NOT NULL, 
	skipped VARCHAR NOT NULL, 
	prompt_tokens INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	UNIQUE (run_id, bug_id)
);
INSERT INTO "bug" VALUES(1,4,'pocket/py-archive-command','python','archive_command.py','missing_call','CWE-78',10,10,'import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','',89);
INSERT INTO "bug" VALUES(2,4,'pocket/py-backoff','python','backoff.py','wrong_function','',8,8,'def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
','',89);
INSERT INTO "bug" VALUES(3,4,'pocket/py-bank-account','python','bank_account.py','wrong_comparison','',17,17,'class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','',62);
INSERT INTO "bug" VALUES(4,5,'pocket/py-archive-command','python','archive_command.py','missing_call','CWE-78',10,10,'import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','',108);
INSERT INTO "bug" VALUES(5,5,'pocket/py-backoff','python','backoff.py','wrong_function','',8,8,'def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
','',108);
INSERT INTO "bug" VALUES(6,5,'pocket/py-bank-account','python','bank_account.py','wrong_comparison','',17,17,'class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','',79);
INSERT INTO "bug" VALUES(7,6,'pocket/py-archive-command','python','archive_command.py','missing_call','CWE-78',10,10,'import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
','',108);
INSERT INTO "bug" VALUES(8,6,'pocket/py-backoff','python','backoff.py','wrong_function','',8,8,'def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
','',108);
INSERT INTO "bug" VALUES(9,6,'pocket/py-bank-account','python','bank_account.py','wrong_comparison','',17,17,'class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
','',79);
CREATE TABLE conversation (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	bug_id VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	benchmark JSON NOT NULL, 
	strategy VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id)
);
INSERT INTO "conversation" VALUES(1,7,'pocket/py-clock-format','starter-adapter','{"name": "pocket", "languages": ["python", "java"], "timeout_s": 5.0}','test_feedback','test_failed',1.79527603096154165273e+09);
CREATE TABLE dataset (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	run_id INTEGER NOT NULL, 
	folder VARCHAR NOT NULL, 
	train_rows INTEGER NOT NULL, 
	valid_rows INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	report JSON NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	UNIQUE (name)
);
INSERT INTO "dataset" VALUES(1,'demo',1,'/tmp/oldhome/runs/1/artifacts',36,2,'9fea3179e203c2ffa204c9e1caea40486868e2ea072fba37957790739322a18c','{"rows": {"train": 36, "valid": 2}, "funnel": {"source": 130, "steps": [{"reason": "functions shorter than 3 lines", "count": 69, "example": "secrets.py:48"}, {"reason": "functions longer than 40 lines", "count": 13, "example": "cProfile.py:131"}, {"reason": "longer than 256 tokens", "count": 10, "example": "faults/cProfile.py:snapshot_stats:1"}]}, "kinds": {"missing_line": 7, "missing_return": 4, "missing_call": 4, "boolean_constant": 4, "changed_constant": 3, "negated_condition": 3, "wrong_function": 2, "wrong_variable": 2, "missing_condition": 2, "off_by_one": 2, "index_shift": 2, "wrong_attribute": 1, "loop_exit": 1, "comparison": 1}, "histogram": {"edges": [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 240, 248, 256, 264, 272, 280, 288, 296, 304, 312, 320, 328, 336, 344, 352, 360, 368, 376, 384, 392, 400, 408, 416, 424, 432, 440, 448, 456, 464, 472, 480, 488, 496, 504, 512], "counts": [0, 0, 0, 1, 0, 0, 1, 4, 2, 1, 4, 2, 2, 2, 2, 1, 0, 1, 0, 1, 2, 1, 1, 0, 1, 0, 2, 1, 0, 0, 1, 5, 0, 2, 0, 0, 1, 0, 0, 1, 0, 0, 1, 2, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}, "max_tokens": 253, "mean_tokens": 134.8, "learned_tokens": 471, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "qwen"}, "hash": "9fea3179e203c2ffa204c9e1caea40486868e2ea072fba37957790739322a18c"}',1.79527598749334120747e+09);
CREATE TABLE metric (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	value FLOAT NOT NULL, 
	time FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	UNIQUE (run_id, seq, name)
);
INSERT INTO "metric" VALUES(1,2,3,1,'loss',5.67253947257995605468e-01,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(2,2,3,1,'grad_norm',1.34683358669281,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(3,2,3,1,'learning_rate',0.002,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(4,2,3,1,'epoch',1.11111111111111104943e-01,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(5,2,3,1,'tokens_per_s',9.30033769042743188072e+02,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(6,2,3,1,'memory_bytes',903073792.0,1.79527599752018117906e+09);
INSERT INTO "metric" VALUES(7,2,5,3,'eval_loss',1.12271678447723388671e+00,1.79527599855899429323e+09);
INSERT INTO "metric" VALUES(8,2,5,3,'epoch',3.33333333333333314829e-01,1.79527599855899429323e+09);
CREATE TABLE model (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	base VARCHAR NOT NULL, 
	run_id INTEGER, 
	usable BOOLEAN NOT NULL, 
	note VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	UNIQUE (name)
);
INSERT INTO "model" VALUES(1,'demo-adapter','adapter','/tmp/oldhome/runs/2/artifacts/model','/tmp/old/assets/starter-model',2,1,'',1.79527599872688913345e+09);
INSERT INTO "model" VALUES(2,'demo-merged','merged','/tmp/oldhome/runs/3/artifacts/model','',3,1,'',1.795276005121115923e+09);
CREATE TABLE patch (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	bug_id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	rank INTEGER NOT NULL, 
	completion VARCHAR NOT NULL, 
	text VARCHAR, 
	score FLOAT, 
	same_as INTEGER, 
	outcome VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	log VARCHAR NOT NULL, 
	failed JSON NOT NULL, 
	duration_s FLOAT NOT NULL, 
	sandbox VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES run (id), 
	UNIQUE (run_id, bug_id, source, rank)
);
INSERT INTO "patch" VALUES(1,4,'pocket/py-backoff','known_fix',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.385,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(2,4,'pocket/py-archive-command','known_fix',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'plausible','','......
6 passed in 0.01s','[]',0.445,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(3,4,'pocket/py-backoff','buggy_code',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [30.0, 30.0, 30.0, 30.0] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 30.0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [10, 10, 10, 27, 81] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 10 != 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [5, 5] == [2, 2]
E
E     At index 0 diff: 5 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [30.0, 30.0, 30.0, 30.0] ==...
FAILED test_backoff.py::test_delays_are_capped - assert [10, 10, 10, 27, 81] ...
FAILED test_backoff.py::test_cap_below_base - assert [5, 5] == [2, 2]
3 failed, 2 passed in 0.03s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.247,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(4,4,'pocket/py-archive-command','buggy_code',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.03s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.208,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(5,4,'pocket/py-bank-account','known_fix',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.21,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(6,4,'pocket/py-bank-account','buggy_code',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'test_failed','','.F...
=================================== FAILURES ===================================
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
1 failed, 4 passed in 0.02s','["test_account_can_be_emptied"]',0.181,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(7,4,'pocket/py-bank-account','model',2,'        if amount <= 0:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount <= 0:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-4.12424296140670776367e-01,NULL,'test_failed','','..F..
=================================== FAILURES ===================================
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
=========================== short test summary info ============================
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
1 failed, 4 passed in 0.02s','["test_overdraft_is_refused"]',0.236,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(8,4,'pocket/py-bank-account','model',1,'        if amount < 0:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount < 0:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-3.81480604410171508789e-01,NULL,'test_failed','','..F..
=================================== FAILURES ===================================
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
=========================== short test summary info ============================
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
1 failed, 4 passed in 0.02s','["test_overdraft_is_refused"]',0.24,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(9,4,'pocket/py-bank-account','model',4,'        if amount <= 1:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount <= 1:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-5.25625526905059814453e-01,NULL,'test_failed','','..F..
=================================== FAILURES ===================================
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
=========================== short test summary info ============================
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
1 failed, 4 passed in 0.01s','["test_overdraft_is_refused"]',0.196,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(10,4,'pocket/py-bank-account','model',3,'        if amount > 0:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > 0:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-4.67364519834518432617e-01,NULL,'test_failed','','FF..F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - ValueError: insufficie...
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
FAILED test_bank_account.py::test_entries_are_in_order - ValueError: insuffic...
3 failed, 2 passed in 0.02s','["test_account_can_be_emptied", "test_entries_are_in_order", "test_partial_withdrawal"]',0.227,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(11,4,'pocket/py-backoff','model',1,'        if delay < 0:
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        if delay < 0:
        delay *= factor
    return delays
',-4.83834147453308105468e-01,NULL,'compile_error','','  File "backoff.py", line 9
    delay *= factor
    ^^^^^
IndentationError: expected an indented block after ''if'' statement on line 8','[]',0.135,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(12,4,'pocket/py-backoff','model',2,'        delay = delay
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delay = delay
        delay *= factor
    return delays
',-6.03464603424072265625e-01,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [] == [0.5, 1.0, 2.0, 4.0]
E
E     Right contains 4 more items, first extra item: 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [] == [1, 3, 9, 10, 10]
E
E     Right contains 5 more items, first extra item: 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [] == [2, 2]
E
E     Right contains 2 more items, first extra item: 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [] == [0.5, 1.0, 2.0, 4.0]
FAILED test_backoff.py::test_delays_are_capped - assert [] == [1, 3, 9, 10, 10]
FAILED test_backoff.py::test_cap_below_base - assert [] == [2, 2]
3 failed, 2 passed in 0.02s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.221,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(13,4,'pocket/py-backoff','model',3,'        delays.append(delay)
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(delay)
        delay *= factor
    return delays
',-6.19860410690307617187e-01,NULL,'test_failed','','.FF..
=================================== FAILURES ===================================
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [1, 3, 9, 27, 81] == [1, 3, 9, 10, 10]
E
E     At index 3 diff: 27 != 10
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [5, 5] == [2, 2]
E
E     At index 0 diff: 5 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_are_capped - assert [1, 3, 9, 27, 81] == ...
FAILED test_backoff.py::test_cap_below_base - assert [5, 5] == [2, 2]
2 failed, 3 passed in 0.02s','["test_cap_below_base", "test_delays_are_capped"]',0.201,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(14,4,'pocket/py-backoff','model',4,'        delay = delay + 1
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delay = delay + 1
        delay *= factor
    return delays
',-6.37983262538909912109e-01,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [] == [0.5, 1.0, 2.0, 4.0]
E
E     Right contains 4 more items, first extra item: 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [] == [1, 3, 9, 10, 10]
E
E     Right contains 5 more items, first extra item: 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [] == [2, 2]
E
E     Right contains 2 more items, first extra item: 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [] == [0.5, 1.0, 2.0, 4.0]
FAILED test_backoff.py::test_delays_are_capped - assert [] == [1, 3, 9, 10, 10]
FAILED test_backoff.py::test_cap_below_base - assert [] == [2, 2]
3 failed, 2 passed in 0.03s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.227,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(15,4,'pocket/py-archive-command','model',1,'        words.append(pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append(pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-5.02269625663757324218e-01,NULL,'test_failed','','..FFF.
=================================== FAILURES ===================================
______________________________ test_plain_exclude ______________________________
test_archive_command.py:19: in test_plain_exclude
    assert words == ["tar", "-czf", "a.tgz", "--exclude=build", "--", "src"]
E   AssertionError: assert [''tar'', ''-czf..., ''--'', ''src''] == [''tar'', ''-czf..., ''--'', ''src'']
E
E     At index 3 diff: ''build'' != ''--exclude=build''
E     Use -v to get more diff
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_plain_exclude - AssertionError: assert [...
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
3 failed, 3 passed in 0.03s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word", "test_plain_exclude"]',0.221,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(16,4,'pocket/py-archive-command','model',2,'        words.append(f"--{folders}", folders={folders})
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append(f"--{folders}", folders={folders})
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-5.51144957542419433593e-01,NULL,'test_failed','','..FFF.
=================================== FAILURES ===================================
______________________________ test_plain_exclude ______________________________
test_archive_command.py:18: in test_plain_exclude
    words = shlex.split(archive_command("a.tgz", ["src"], ["build"]))
                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
archive_command.py:10: in archive_command
    words.append(f"--{folders}", folders={folders})
                                         ^^^^^^^^^
E   TypeError: unhashable type: ''list''
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
archive_command.py:10: in archive_command
    words.append(f"--{folders}", folders={folders})
                                         ^^^^^^^^^
E   TypeError: unhashable type: ''list''
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:29: in test_exclude_cannot_start_a_command
    command = archive_command("a.tgz", ["src"], patterns)
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
archive_command.py:10: in archive_command
    words.append(f"--{folders}", folders={folders})
                                         ^^^^^^^^^
E   TypeError: unhashable type: ''list''
=========================== short test summary info ============================
FAILED test_archive_command.py::test_plain_exclude - TypeError: unhashable ty...
FAILED test_archive_command.py::test_exclude_is_one_word - TypeError: unhasha...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - TypeErr...
3 failed, 3 passed in 0.02s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word", "test_plain_exclude"]',0.193,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(17,4,'pocket/py-archive-command','model',4,'        words.append(f"--{folders}", folders={folders}")
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append(f"--{folders}", folders={folders}")
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-5.795040130615234375e-01,NULL,'compile_error','','  File "archive_command.py", line 10
    words.append(f"--{folders}", folders={folders}")
                                                  ^
SyntaxError: unterminated string literal (detected at line 10)','[]',0.146,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(18,4,'pocket/py-archive-command','model',3,'        words.append("--" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-5.64827680587768554687e-01,NULL,'test_failed','','..FFF.
=================================== FAILURES ===================================
______________________________ test_plain_exclude ______________________________
test_archive_command.py:19: in test_plain_exclude
    assert words == ["tar", "-czf", "a.tgz", "--exclude=build", "--", "src"]
E   AssertionError: assert [''tar'', ''-czf..., ''--'', ''src''] == [''tar'', ''-czf..., ''--'', ''src'']
E
E     At index 3 diff: ''--build'' != ''--exclude=build''
E     Use -v to get more diff
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_plain_exclude - AssertionError: assert [...
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
3 failed, 3 passed in 0.04s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word", "test_plain_exclude"]',0.261,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(19,5,'pocket/py-archive-command','known_fix',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'plausible','','......
6 passed in 0.01s','[]',0.269,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(20,5,'pocket/py-backoff','known_fix',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.519,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(21,5,'pocket/py-archive-command','buggy_code',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.03s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.356,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(22,5,'pocket/py-backoff','buggy_code',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [30.0, 30.0, 30.0, 30.0] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 30.0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [10, 10, 10, 27, 81] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 10 != 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [5, 5] == [2, 2]
E
E     At index 0 diff: 5 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [30.0, 30.0, 30.0, 30.0] ==...
FAILED test_backoff.py::test_delays_are_capped - assert [10, 10, 10, 27, 81] ...
FAILED test_backoff.py::test_cap_below_base - assert [5, 5] == [2, 2]
3 failed, 2 passed in 0.02s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.196,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(23,5,'pocket/py-bank-account','known_fix',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.178,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(24,5,'pocket/py-bank-account','buggy_code',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'test_failed','','.F...
=================================== FAILURES ===================================
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
1 failed, 4 passed in 0.02s','["test_account_can_be_emptied"]',0.191,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(25,5,'pocket/py-bank-account','model',1,'        if amount <= 0:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount <= 0:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-2.28642284870147705078e-01,NULL,'test_failed','','..F..
=================================== FAILURES ===================================
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
=========================== short test summary info ============================
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
1 failed, 4 passed in 0.02s','["test_overdraft_is_refused"]',0.206,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(26,5,'pocket/py-bank-account','model',2,'        if amount < self.balance:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount < self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-2.82374829053878784179e-01,NULL,'test_failed','','F.F.F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - ValueError: insufficie...
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
FAILED test_bank_account.py::test_entries_are_in_order - ValueError: insuffic...
3 failed, 2 passed in 0.02s','["test_entries_are_in_order", "test_overdraft_is_refused", "test_partial_withdrawal"]',0.208,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(27,5,'pocket/py-bank-account','model',4,'        if amount < 0:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount < 0:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-3.3509400486946105957e-01,NULL,'test_failed','','..F..
=================================== FAILURES ===================================
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
=========================== short test summary info ============================
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
1 failed, 4 passed in 0.01s','["test_overdraft_is_refused"]',0.186,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(28,5,'pocket/py-bank-account','model',3,'        if amount <= self.balance:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount <= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-3.27866137027740478515e-01,NULL,'test_failed','','FFF.F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:22: in test_overdraft_is_refused
    with pytest.raises(ValueError):
E   Failed: DID NOT RAISE ValueError
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - ValueError: insufficie...
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
FAILED test_bank_account.py::test_overdraft_is_refused - Failed: DID NOT RAIS...
FAILED test_bank_account.py::test_entries_are_in_order - ValueError: insuffic...
4 failed, 1 passed in 0.02s','["test_account_can_be_emptied", "test_entries_are_in_order", "test_overdraft_is_refused", "test_partial_withdrawal"]',0.194,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(29,5,'pocket/py-backoff','model',2,'    if delay < 0:
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
    if delay < 0:
        delay *= factor
    return delays
',-0.434579074382782,NULL,'compile_error','','  File "backoff.py", line 8
    if delay < 0:
    ^^
IndentationError: expected an indented block after ''for'' statement on line 7','[]',0.153,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(30,5,'pocket/py-backoff','model',1,'    for _ in range(attempts):
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
    for _ in range(attempts):
        delay *= factor
    return delays
',-3.84413361549377441406e-01,NULL,'compile_error','','  File "backoff.py", line 8
    for _ in range(attempts):
    ^^^
IndentationError: expected an indented block after ''for'' statement on line 7','[]',0.161,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(31,5,'pocket/py-backoff','model',3,'    for _ in range(delays):
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
    for _ in range(delays):
        delay *= factor
    return delays
',-4.72394794225692749023e-01,NULL,'compile_error','','  File "backoff.py", line 8
    for _ in range(delays):
    ^^^
IndentationError: expected an indented block after ''for'' statement on line 7','[]',0.129,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(32,5,'pocket/py-backoff','model',4,'    if delay < 0.5:
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
    if delay < 0.5:
        delay *= factor
    return delays
',-5.22833466529846191406e-01,NULL,'compile_error','','  File "backoff.py", line 8
    if delay < 0.5:
    ^^
IndentationError: expected an indented block after ''for'' statement on line 7','[]',0.141,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(33,5,'pocket/py-archive-command','model',2,'    for pattern in exclude:
        # buggy code
        words.append("--exclude=" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
    for pattern in exclude:
        # buggy code
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-3.11333537101745605468e-01,NULL,'compile_error','','  File "archive_command.py", line 10
    for pattern in exclude:
    ^^^
IndentationError: expected an indented block after ''for'' statement on line 9','[]',0.13,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(34,5,'pocket/py-archive-command','model',1,'    if not folders:
        raise ValueError("nothing to pack")
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
    if not folders:
        raise ValueError("nothing to pack")
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-2.64038771390914916992e-01,NULL,'compile_error','','  File "archive_command.py", line 10
    if not folders:
    ^^
IndentationError: expected an indented block after ''for'' statement on line 9','[]',0.144,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(35,5,'pocket/py-archive-command','model',3,'    for pattern in exclude:
        if not folders:
            raise ValueError("nothing to pack")
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
    for pattern in exclude:
        if not folders:
            raise ValueError("nothing to pack")
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-3.20119231939315795898e-01,NULL,'compile_error','','  File "archive_command.py", line 10
    for pattern in exclude:
    ^^^
IndentationError: expected an indented block after ''for'' statement on line 9','[]',0.127,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(36,5,'pocket/py-archive-command','model',4,'    for pattern in exclude:
        words.append("--exclude=" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-3.34005385637283325195e-01,NULL,'compile_error','','  File "archive_command.py", line 10
    for pattern in exclude:
    ^^^
IndentationError: expected an indented block after ''for'' statement on line 9','[]',0.132,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(37,6,'pocket/py-archive-command','known_fix',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + shlex.quote(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'plausible','','......
6 passed in 0.01s','[]',0.228,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(38,6,'pocket/py-backoff','known_fix',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(min(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.287,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(39,6,'pocket/py-archive-command','buggy_code',0,'','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',NULL,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.05s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.303,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(40,6,'pocket/py-backoff','buggy_code',0,'','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
',NULL,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [30.0, 30.0, 30.0, 30.0] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 30.0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [10, 10, 10, 27, 81] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 10 != 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [5, 5] == [2, 2]
E
E     At index 0 diff: 5 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [30.0, 30.0, 30.0, 30.0] ==...
FAILED test_backoff.py::test_delays_are_capped - assert [10, 10, 10, 27, 81] ...
FAILED test_backoff.py::test_cap_below_base - assert [5, 5] == [2, 2]
3 failed, 2 passed in 0.03s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.194,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(41,6,'pocket/py-bank-account','known_fix',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'plausible','','.....
5 passed in 0.01s','[]',0.264,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(42,6,'pocket/py-bank-account','buggy_code',0,'','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',NULL,NULL,'test_failed','','.F...
=================================== FAILURES ===================================
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
1 failed, 4 passed in 0.02s','["test_account_can_be_emptied"]',0.268,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(43,6,'pocket/py-bank-account','model',1,'        if amount >= self.balance:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-7.0580348372459411621e-02,NULL,'test_failed','','.F...
=================================== FAILURES ===================================
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
1 failed, 4 passed in 0.02s','["test_account_can_be_emptied"]',0.268,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(44,6,'pocket/py-bank-account','model',3,'        if amount >= self.omega:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.omega:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-4.78217780590057373046e-01,NULL,'test_failed','','FFF.F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:17: in withdraw
    if amount >= self.omega:
                 ^^^^^^^^^^
E   AttributeError: ''Account'' object has no attribute ''omega''
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:17: in withdraw
    if amount >= self.omega:
                 ^^^^^^^^^^
E   AttributeError: ''Account'' object has no attribute ''omega''
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:23: in test_overdraft_is_refused
    account.withdraw(amount)
bank_account.py:17: in withdraw
    if amount >= self.omega:
                 ^^^^^^^^^^
E   AttributeError: ''Account'' object has no attribute ''omega''
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:17: in withdraw
    if amount >= self.omega:
                 ^^^^^^^^^^
E   AttributeError: ''Account'' object has no attribute ''omega''
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - AttributeError: ''Accou...
FAILED test_bank_account.py::test_account_can_be_emptied - AttributeError: ''A...
FAILED test_bank_account.py::test_overdraft_is_refused - AttributeError: ''Acc...
FAILED test_bank_account.py::test_entries_are_in_order - AttributeError: ''Acc...
4 failed, 1 passed in 0.03s','["test_account_can_be_emptied", "test_entries_are_in_order", "test_overdraft_is_refused", "test_partial_withdrawal"]',0.306,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(45,6,'pocket/py-bank-account','model',2,'        if amount >= self.entries:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= self.entries:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-2.51890718936920166015e-01,NULL,'test_failed','','FFF.F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:17: in withdraw
    if amount >= self.entries:
       ^^^^^^^^^^^^^^^^^^^^^^
E   TypeError: ''>='' not supported between instances of ''int'' and ''list''
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:17: in withdraw
    if amount >= self.entries:
       ^^^^^^^^^^^^^^^^^^^^^^
E   TypeError: ''>='' not supported between instances of ''int'' and ''list''
__________________________ test_overdraft_is_refused ___________________________
test_bank_account.py:23: in test_overdraft_is_refused
    account.withdraw(amount)
bank_account.py:17: in withdraw
    if amount >= self.entries:
       ^^^^^^^^^^^^^^^^^^^^^^
E   TypeError: ''>='' not supported between instances of ''int'' and ''list''
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:17: in withdraw
    if amount >= self.entries:
       ^^^^^^^^^^^^^^^^^^^^^^
E   TypeError: ''>='' not supported between instances of ''int'' and ''list''
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - TypeError: ''>='' not su...
FAILED test_bank_account.py::test_account_can_be_emptied - TypeError: ''>='' no...
FAILED test_bank_account.py::test_overdraft_is_refused - TypeError: ''>='' not ...
FAILED test_bank_account.py::test_entries_are_in_order - TypeError: ''>='' not ...
4 failed, 1 passed in 0.03s','["test_account_can_be_emptied", "test_entries_are_in_order", "test_overdraft_is_refused", "test_partial_withdrawal"]',0.308,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(46,6,'pocket/py-archive-command','model',1,'        words.append("--exclude=" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-0.00880490243434906,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.05s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.303,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(47,6,'pocket/py-bank-account','model',4,'        if amount >= amount:
','class Account:
    """A bank account in whole cents, without credit."""

    def __init__(self, balance=0):
        self.balance = balance
        self.entries = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.entries.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount >= amount:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.entries.append(("withdraw", amount))
',-5.6227397918701171875e-01,NULL,'test_failed','','FF..F
=================================== FAILURES ===================================
___________________________ test_partial_withdrawal ____________________________
test_bank_account.py:7: in test_partial_withdrawal
    account.withdraw(200)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
_________________________ test_account_can_be_emptied __________________________
test_bank_account.py:14: in test_account_can_be_emptied
    account.withdraw(500)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
__________________________ test_entries_are_in_order ___________________________
test_bank_account.py:39: in test_entries_are_in_order
    account.withdraw(30)
bank_account.py:18: in withdraw
    raise ValueError("insufficient funds")
E   ValueError: insufficient funds
=========================== short test summary info ============================
FAILED test_bank_account.py::test_partial_withdrawal - ValueError: insufficie...
FAILED test_bank_account.py::test_account_can_be_emptied - ValueError: insuff...
FAILED test_bank_account.py::test_entries_are_in_order - ValueError: insuffic...
3 failed, 2 passed in 0.03s','["test_account_can_be_emptied", "test_entries_are_in_order", "test_partial_withdrawal"]',0.286,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(48,6,'pocket/py-archive-command','model',2,'        words.extend("--exclude=" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.extend("--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-3.87670189142227172851e-01,NULL,'test_failed','','..FFF.
=================================== FAILURES ===================================
______________________________ test_plain_exclude ______________________________
test_archive_command.py:19: in test_plain_exclude
    assert words == ["tar", "-czf", "a.tgz", "--exclude=build", "--", "src"]
E   AssertionError: assert [''tar'', ''-czf...''-'', ''e'', ...] == [''tar'', ''-czf..., ''--'', ''src'']
E
E     At index 3 diff: ''-'' != ''--exclude=build''
E     Left contains 14 more items, first extra item: ''x''
E     Use -v to get more diff
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_plain_exclude - AssertionError: assert [...
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
3 failed, 3 passed in 0.05s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word", "test_plain_exclude"]',0.335,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(49,6,'pocket/py-archive-command','model',3,'        words.append(f"--exclude=" + pattern)
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append(f"--exclude=" + pattern)
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-3.9181855320930480957e-01,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.05s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.321,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(50,6,'pocket/py-backoff','model',1,'        delays.append(max(delay, cap))
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(delay, cap))
        delay *= factor
    return delays
',-1.19506217539310455322e-01,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [30.0, 30.0, 30.0, 30.0] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 30.0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [10, 10, 10, 27, 81] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 10 != 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [5, 5] == [2, 2]
E
E     At index 0 diff: 5 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [30.0, 30.0, 30.0, 30.0] ==...
FAILED test_backoff.py::test_delays_are_capped - assert [10, 10, 10, 27, 81] ...
FAILED test_backoff.py::test_cap_below_base - assert [5, 5] == [2, 2]
3 failed, 2 passed in 0.03s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.194,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(51,6,'pocket/py-archive-command','model',4,'        words.append("--exclude=" + str(pattern))
','import shlex


def archive_command(target, folders, exclude=()):
    """Shell command that packs folders into a compressed archive."""
    if not folders:
        raise ValueError("nothing to pack")
    words = ["tar", "-czf", shlex.quote(target)]
    for pattern in exclude:
        words.append("--exclude=" + str(pattern))
    words.append("--")
    words.extend(shlex.quote(folder) for folder in folders)
    return " ".join(words)
',-4.62928861379623413085e-01,NULL,'test_failed','','...FF.
=================================== FAILURES ===================================
___________________________ test_exclude_is_one_word ___________________________
test_archive_command.py:23: in test_exclude_is_one_word
    words = shlex.split(archive_command("a.tgz", ["src"], ["x y", "it''s"]))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:315: in split
    return list(lex)
           ^^^^^^^^^
/usr/lib/python3.11/shlex.py:300: in __next__
    token = self.get_token()
            ^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:109: in get_token
    raw = self.read_token()
          ^^^^^^^^^^^^^^^^^
/usr/lib/python3.11/shlex.py:191: in read_token
    raise ValueError("No closing quotation")
E   ValueError: No closing quotation
_____________________ test_exclude_cannot_start_a_command ______________________
test_archive_command.py:32: in test_exclude_cannot_start_a_command
    assert words == ["-czf", "a.tgz", *[f"--exclude={pattern}" for pattern in patterns], "--", "src"]
E   AssertionError: assert [] == [''-czf'', ''a.t...cho no`'', ...]
E
E     Right contains 8 more items, first extra item: ''-czf''
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_archive_command.py::test_exclude_is_one_word - ValueError: No clo...
FAILED test_archive_command.py::test_exclude_cannot_start_a_command - Asserti...
2 failed, 4 passed in 0.05s','["test_exclude_cannot_start_a_command", "test_exclude_is_one_word"]',0.314,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(52,6,'pocket/py-backoff','model',2,'        delays.append(delay, cap)
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(delay, cap)
        delay *= factor
    return delays
',-2.80035048723220825195e-01,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
           ^^^^^^^^^^^^^^^^^
backoff.py:8: in backoff_delays
    delays.append(delay, cap)
E   TypeError: list.append() takes exactly one argument (2 given)
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
backoff.py:8: in backoff_delays
    delays.append(delay, cap)
E   TypeError: list.append() takes exactly one argument (2 given)
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
backoff.py:8: in backoff_delays
    delays.append(delay, cap)
E   TypeError: list.append() takes exactly one argument (2 given)
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - TypeError: list.append() takes exa...
FAILED test_backoff.py::test_delays_are_capped - TypeError: list.append() tak...
FAILED test_backoff.py::test_cap_below_base - TypeError: list.append() takes ...
3 failed, 2 passed in 0.02s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.276,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(53,6,'pocket/py-backoff','model',3,'        delays.append(max(attempts, cap))
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(max(attempts, cap))
        delay *= factor
    return delays
',-2.8285840153694152832e-01,NULL,'test_failed','','FF...
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [30.0, 30.0, 30.0, 30.0] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 30.0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [10, 10, 10, 10, 10] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 10 != 1
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [30.0, 30.0, 30.0, 30.0] ==...
FAILED test_backoff.py::test_delays_are_capped - assert [10, 10, 10, 10, 10] ...
2 failed, 3 passed in 0.02s','["test_delays_are_capped", "test_delays_grow"]',0.271,'bubblewrap 0.8.0');
INSERT INTO "patch" VALUES(54,6,'pocket/py-backoff','model',4,'        delays.append(_)
','def backoff_delays(attempts, base=0.5, factor=2.0, cap=30.0):
    """Seconds to wait before each retry, growing up to a cap."""
    if attempts < 0:
        raise ValueError("attempts must not be negative")
    delays = []
    delay = base
    for _ in range(attempts):
        delays.append(_)
        delay *= factor
    return delays
',-3.56407821178436279296e-01,NULL,'test_failed','','FFF..
=================================== FAILURES ===================================
_______________________________ test_delays_grow _______________________________
test_backoff.py:6: in test_delays_grow
    assert backoff_delays(4) == [0.5, 1.0, 2.0, 4.0]
E   assert [0, 1, 2, 3] == [0.5, 1.0, 2.0, 4.0]
E
E     At index 0 diff: 0 != 0.5
E     Use -v to get more diff
____________________________ test_delays_are_capped ____________________________
test_backoff.py:10: in test_delays_are_capped
    assert backoff_delays(5, base=1, factor=3, cap=10) == [1, 3, 9, 10, 10]
E   assert [0, 1, 2, 3, 4] == [1, 3, 9, 10, 10]
E
E     At index 0 diff: 0 != 1
E     Use -v to get more diff
_____________________________ test_cap_below_base ______________________________
test_backoff.py:14: in test_cap_below_base
    assert backoff_delays(2, base=5, factor=1, cap=2) == [2, 2]
E   assert [0, 1] == [2, 2]
E
E     At index 0 diff: 0 != 2
E     Use -v to get more diff
=========================== short test summary info ============================
FAILED test_backoff.py::test_delays_grow - assert [0, 1, 2, 3] == [0.5, 1.0, ...
FAILED test_backoff.py::test_delays_are_capped - assert [0, 1, 2, 3, 4] == [1...
FAILED test_backoff.py::test_cap_below_base - assert [0, 1] == [2, 2]
3 failed, 2 passed in 0.03s','["test_cap_below_base", "test_delays_are_capped", "test_delays_grow"]',0.283,'bubblewrap 0.8.0');
CREATE TABLE run (
	id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	spec JSON NOT NULL, 
	folder VARCHAR NOT NULL, 
	"group" VARCHAR NOT NULL, 
	"after" INTEGER, 
	launcher VARCHAR NOT NULL, 
	handle VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	started_at FLOAT, 
	ended_at FLOAT, 
	stop_asked_at FLOAT, 
	"offset" INTEGER NOT NULL, 
	last_seq INTEGER NOT NULL, 
	broken_lines INTEGER NOT NULL, 
	progress_done FLOAT NOT NULL, 
	progress_total FLOAT, 
	progress_text VARCHAR NOT NULL, 
	error VARCHAR NOT NULL, 
	cause VARCHAR NOT NULL, 
	result JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY("after") REFERENCES run (id)
);
INSERT INTO "run" VALUES(1,'dataset','demo','done','{"name": "demo", "seed": 0, "kind": "dataset", "builder": {"name": "faults", "folder": "", "samples": 48, "operators": ["comparison", "arithmetic", "boolean_operator", "negated_condition", "missing_condition", "off_by_one", "changed_constant", "boolean_constant", "wrong_variable", "wrong_attribute", "wrong_function", "swapped_operands", "swapped_arguments", "dropped_argument", "missing_call", "missing_line", "missing_return", "assignment_operator", "index_shift", "loop_exit"], "min_lines": 3, "max_lines": 40, "per_file": 500}, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "auto"}, "model": "starter", "max_tokens": 256, "valid_fraction": 0.05, "exclude": ["pocket"]}','/tmp/oldhome/runs/1','demo-1',NULL,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:7983:80687',1.79527598617525815959e+09,1.79527598627258563046e+09,1.79527598749334120747e+09,NULL,2105,5,0,48.0,48.0,'38 samples kept','','','{"rows": {"train": 36, "valid": 2}, "funnel": {"source": 130, "steps": [{"reason": "functions shorter than 3 lines", "count": 69, "example": "secrets.py:48"}, {"reason": "functions longer than 40 lines", "count": 13, "example": "cProfile.py:131"}, {"reason": "longer than 256 tokens", "count": 10, "example": "faults/cProfile.py:snapshot_stats:1"}]}, "kinds": {"missing_line": 7, "missing_return": 4, "missing_call": 4, "boolean_constant": 4, "changed_constant": 3, "negated_condition": 3, "wrong_function": 2, "wrong_variable": 2, "missing_condition": 2, "off_by_one": 2, "index_shift": 2, "wrong_attribute": 1, "loop_exit": 1, "comparison": 1}, "histogram": {"edges": [0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 200, 208, 216, 224, 232, 240, 248, 256, 264, 272, 280, 288, 296, 304, 312, 320, 328, 336, 344, 352, 360, 368, 376, 384, 392, 400, 408, 416, 424, 432, 440, 448, 456, 464, 472, 480, 488, 496, 504, 512], "counts": [0, 0, 0, 1, 0, 0, 1, 4, 2, 1, 4, 2, 2, 2, 2, 1, 0, 1, 0, 1, 2, 1, 1, 0, 1, 0, 2, 1, 0, 0, 1, 5, 0, 2, 0, 0, 1, 0, 0, 1, 0, 0, 1, 2, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}, "max_tokens": 253, "mean_tokens": 134.8, "learned_tokens": 471, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "qwen"}, "hash": "9fea3179e203c2ffa204c9e1caea40486868e2ea072fba37957790739322a18c"}');
INSERT INTO "run" VALUES(2,'train','demo-adapter','done','{"name": "demo-adapter", "seed": 0, "kind": "train", "model": "starter", "dataset": "demo", "trainer": {"name": "sft", "method": "lora", "rank": 16, "alpha": 32, "learning_rate": 0.002, "epochs": 1.0, "batch_size": 4, "accumulation": 1, "max_steps": 3, "dropout": 0.0, "target_modules": "all-linear", "base_bits": 16, "scheduler": "linear", "warmup_steps": 0.0, "optimizer": "adamw", "beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "max_grad_norm": 1.0, "precision": "auto", "packing": false, "group_by_length": true, "activation_checkpointing": false, "logging_steps": 5, "eval_steps": null, "save_steps": null, "keep_checkpoints": 2, "report_to_wandb": false}}','/tmp/oldhome/runs/2','demo-1',1,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:7992:80811',1.79527598619451594355e+09,1.79527598752982020372e+09,1.79527599872688913345e+09,NULL,1500,8,0,3.0,3.0,'step 3 of 3, 0 s left','','','{"kind": "adapter", "train_loss": 0.5672539472579956, "eval_loss": 1.1227167844772339, "steps": 3, "samples": 12, "tokens": 1517, "left_out": {}, "trainable_parameters": 794624, "all_parameters": 13579584, "seconds": 2.3, "peak_memory_bytes": 1110798336, "device": "CPU"}');
INSERT INTO "run" VALUES(3,'merge','demo-merged','done','{"name": "demo-merged", "seed": 0, "kind": "merge", "adapter": "demo-adapter", "dtype": "float32", "parity_bugs": 1}','/tmp/oldhome/runs/3','demo-1',2,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8004:81951',1.7952759861998236179e+09,1.79527599893258047098e+09,1.795276005121115923e+09,NULL,1296,6,0,3.0,4.0,'asking the merged model about 1 bugs','','','{"max_logit_difference": 3.147125244140625e-05, "largest_logit": 27.11748695373535, "tolerance": 0.00027117486953735353, "usable": true, "same_patches": 1, "bugs": 1, "parameters": 12784960, "dtype": "float32", "examples": [{"bug_id": "pocket/py-archive-command", "adapter": "    if not folders:\n        raise ValueError(\"nothing to pack\")\n", "merged": "    if not folders:\n        raise ValueError(\"nothing to pack\")\n", "same": true}]}');
INSERT INTO "run" VALUES(4,'benchmark','starter on pocket','done','{"name": "", "seed": 0, "kind": "benchmark", "model": "starter", "benchmark": {"name": "pocket", "languages": ["python"], "timeout_s": 5.0}, "representation": {"name": "ir3_or2", "strip": true, "context": "function", "fim": "auto"}, "generator": {"name": "beam", "max_new_tokens": 64, "one_line": true, "batch_tokens": null}, "candidates": 4, "limit": 3, "workers": null, "sandbox": "auto"}','/tmp/oldhome/runs/4','demo-1',NULL,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8017:82594',1.79527598624225401876e+09,1.79527600536298966409e+09,1.79527601233615708353e+09,NULL,37269,28,0,12.0,12.0,'12 of 12 patches judged, 0 plausible','','','{"bugs": 3, "scored": 3, "control_failures": 0, "plausible_at": {"1": 0, "4": 0}, "outcomes": {"plausible": 0, "test_failed": 10, "compile_error": 2, "timeout": 0, "no_patch": 0, "not_run": 0}, "patches": 12, "skipped": {}, "seconds": 6.7, "patches_per_s": 1.79, "sandbox": "bubblewrap 0.8.0"}');
INSERT INTO "run" VALUES(5,'benchmark','demo-adapter on pocket','done','{"name": "", "seed": 0, "kind": "benchmark", "model": "demo-adapter", "benchmark": {"name": "pocket", "languages": ["python"], "timeout_s": 5.0}, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "auto"}, "generator": {"name": "beam", "max_new_tokens": 64, "one_line": false, "batch_tokens": null}, "candidates": 4, "limit": 3, "workers": null, "sandbox": "auto"}','/tmp/oldhome/runs/5','demo-1',2,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8093:83313',1.79527598624673390389e+09,1.79527601255205655102e+09,1.79527602044965481752e+09,NULL,29533,28,0,12.0,12.0,'12 of 12 patches judged, 0 plausible','','','{"bugs": 3, "scored": 3, "control_failures": 0, "plausible_at": {"1": 0, "4": 0}, "outcomes": {"plausible": 0, "test_failed": 4, "compile_error": 8, "timeout": 0, "no_patch": 0, "not_run": 0}, "patches": 12, "skipped": {}, "seconds": 7.6, "patches_per_s": 1.59, "sandbox": "bubblewrap 0.8.0"}');
INSERT INTO "run" VALUES(6,'benchmark','starter-adapter on pocket','done','{"name": "", "seed": 0, "kind": "benchmark", "model": "starter-adapter", "benchmark": {"name": "pocket", "languages": ["python"], "timeout_s": 5.0}, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "auto"}, "generator": {"name": "beam", "max_new_tokens": 64, "one_line": false, "batch_tokens": null}, "candidates": 4, "limit": 3, "workers": null, "sandbox": "auto"}','/tmp/oldhome/runs/6','demo-1',NULL,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8202:84113',1.79527598625136351586e+09,1.79527602054592823983e+09,1.79527602993366813656e+09,NULL,42509,29,0,12.0,12.0,'12 of 12 patches judged, 0 plausible','','','{"bugs": 3, "scored": 3, "control_failures": 0, "plausible_at": {"1": 0, "4": 0}, "outcomes": {"plausible": 0, "test_failed": 12, "compile_error": 0, "timeout": 0, "no_patch": 0, "not_run": 0}, "patches": 12, "skipped": {}, "seconds": 9.1, "patches_per_s": 1.32, "sandbox": "bubblewrap 0.8.0"}');
INSERT INTO "run" VALUES(7,'chat','chat with starter-adapter','stopped','{"name": "", "seed": 0, "kind": "chat", "model": "starter-adapter", "benchmark": {"name": "pocket", "languages": ["python", "java"], "timeout_s": 5.0}, "bug": "pocket/py-clock-format", "strategy": {"name": "test_feedback", "redraws": 8}, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "auto"}, "generator": {"name": "sampling", "temperature": 0.8, "top_p": 0.95, "max_new_tokens": 64, "top_k": 0, "batch_tokens": null}, "sandbox": "auto"}','/tmp/oldhome/runs/7','',NULL,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8274:85158',1.79527603095654225348e+09,1.79527603099199223519e+09,1.79527603883297014238e+09,1.79527603882940936085e+09,8404,51,0,4.0,NULL,'ready','','','{}');
INSERT INTO "run" VALUES(8,'benchmark','starter on pocket','stopped','{"name": "", "seed": 0, "kind": "benchmark", "model": "starter", "benchmark": {"name": "pocket", "languages": ["python"], "timeout_s": 5.0}, "representation": {"name": "ir4_or2", "strip": true, "context": "function", "fim": "auto"}, "generator": {"name": "beam", "max_new_tokens": 64, "one_line": false, "batch_tokens": null}, "candidates": 10, "limit": 2, "workers": null, "sandbox": "auto"}','/tmp/oldhome/runs/8','',NULL,'local','f128d5ec-8f17-402e-a5c8-ec912724f1c4:8344:86054',1.79527603992991399758e+09,1.79527603994665622706e+09,1.7952760407180113792e+09,1.79527604071457028383e+09,458,3,0,0.0,NULL,'loading the model','','','{}');
CREATE TABLE turn (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	role VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	patch VARCHAR, 
	patch_reason VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	log VARCHAR NOT NULL, 
	failed JSON NOT NULL, 
	duration_s FLOAT NOT NULL, 
	sandbox VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(conversation_id) REFERENCES conversation (id), 
	UNIQUE (conversation_id, number)
);
INSERT INTO "turn" VALUES(1,1,1,'user','mind the hour',NULL,'','','','','[]',0.0,'');
INSERT INTO "turn" VALUES(2,1,2,'assistant','    minutes = seconds % 360 // 60
','def format_clock(seconds):
    """Format a length in seconds as H:MM:SS, or M:SS below an hour."""
    if seconds < 0:
        return "-" + format_clock(-seconds)
    hours = seconds // 3600
    minutes = seconds % 360 // 60
    rest = seconds % 60
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
','','test_failed','','..FF.
=================================== FAILURES ===================================
______________________________ test_many_minutes _______________________________
test_clock_format.py:14: in test_many_minutes
    assert format_clock(45 * 60 + 10) == "45:10"
E   AssertionError: assert ''3:10'' == ''45:10''
E
E     - 45:10
E     + 3:10
__________________________________ test_hours __________________________________
test_clock_format.py:20: in test_hours
    assert format_clock(2 * 3600 + 34 * 60 + 56) == "2:34:56"
E   AssertionError: assert ''2:04:56'' == ''2:34:56''
E
E     - 2:34:56
E     ?   ^
E     + 2:04:56
E     ?   ^
=========================== short test summary info ============================
FAILED test_clock_format.py::test_many_minutes - AssertionError: assert ''3:10...
FAILED test_clock_format.py::test_hours - AssertionError: assert ''2:04:56'' ==...
2 failed, 3 passed in 0.02s','["test_hours", "test_many_minutes"]',0.202,'bubblewrap 0.8.0');
INSERT INTO "turn" VALUES(3,1,3,'tool','test: AssertionError: assert ''3:10'' == ''45:10'' (test_hours, test_many_minutes)

test_clock_format.py:20: in test_hours
    assert format_clock(2 * 3600 + 34 * 60 + 56) == "2:34:56"
E   AssertionError: assert ''2:04:56'' == ''2:34:56''
E
E     - 2:34:56
E     ?   ^
E     + 2:04:56
E     ?   ^
=========================== short test summary info ============================
FAILED test_clock_format.py::test_many_minutes - AssertionError: assert ''3:10...
FAILED test_clock_format.py::test_hours - AssertionError: assert ''2:04:56'' ==...
2 failed, 3 passed in 0.02s',NULL,'','','','','[]',0.0,'');
INSERT INTO "turn" VALUES(4,1,4,'tool','The model gives an answer again that was tried already. Give it a hint, or raise the temperature.',NULL,'','','','','[]',0.0,'');
CREATE INDEX ix_run_group ON run ("group");
CREATE INDEX ix_run_kind ON run (kind);
CREATE INDEX ix_run_state ON run (state);
CREATE INDEX ix_metric_curve ON metric (run_id, name, step);
CREATE INDEX ix_patch_outcome ON patch (run_id, source, outcome, rank);
COMMIT;
