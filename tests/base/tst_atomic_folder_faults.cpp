// A folder that is replaced while the disk fails, the process is killed or the power goes: each call to the
// system in turn is the one. Under the name lies the old folder or the new one, whole.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>
#include <cerrno>
#include <csignal>
#include <iostream>

#include "tests/support/failing_calls.h"
#include "tests/support/refusal.h"
#include "tests/support/replaced_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

/// Replaces `path` in a child process while `fault` happens. @return true when the child was killed
bool replaceInChild(const fs::path& path, const Fault& fault) {
    const pid_t child = ::fork();
    if (child == 0) {
        armFault(fault);
        (void)refusalOf([&] { replaceByNew(path); });
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

}  // namespace

class TestAtomicFolderFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isOldOrNewAtEveryFailure();
    void isOldOrNewWhereverItIsKilled_data();
    void isOldOrNewWhereverItIsKilled();
    void saysWhenTheDiskIsFull();
    void saysWhenFoldersCannotBeExchanged();
};

/// Each call to the system fails in turn. What is left of the temporary folder goes with the next one.
void TestAtomicFolderFaults::isOldOrNewAtEveryFailure() {
    int failures = 0;
    for (const int code : {ENOSPC, EIO})
        for (int call = 1, calls = 0; calls >= call - 1; ++call) {
            const TemporaryFolder place(TemporaryFolder::On::memory);
            makeFolder(place / "out", kOld);
            armFault({Fault::Kind::error, call, code});
            const auto refusal = refusalOf([&] { replaceByNew(place / "out"); });
            calls = disarmFault();
            const Files found = filesIn(place / "out");
            QVERIFY2(found == kOld || found == kNew, std::to_string(call).c_str());
            QVERIFY(refusal || found == kNew);
            QVERIFY(!refusal || (refusal->kind == ErrorKind::io && refusal->isOneLine()));
            failures += refusal ? 1 : 0;
            replaceByNew(place / "out");
            QVERIFY(filesIn(place / "out") == kNew);
            QCOMPARE(countIn(place.path()), size_t{1});
        }
    std::cout << "measured: a folder was replaced with " << failures
              << " failed calls, old or new each time\n";
    QVERIFY(failures >= 30);
}

void TestAtomicFolderFaults::isOldOrNewWhereverItIsKilled_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<bool>("replaces");
    for (const bool replaces : {true, false}) {
        const char* what = replaces ? "a folder" : "nothing";
        QTest::addRow("killed, replacing %s", what) << static_cast<int>(Fault::Kind::kill) << replaces;
        QTest::addRow("killed in a write, replacing %s", what)
            << static_cast<int>(Fault::Kind::write_and_kill) << replaces;
        QTest::addRow("power gone, replacing %s", what)
            << static_cast<int>(Fault::Kind::power_loss) << replaces;
    }
}

void TestAtomicFolderFaults::isOldOrNewWhereverItIsKilled() {
    QFETCH(int, kind);
    QFETCH(bool, replaces);
    int kills = 0;
    int replaced = 0;
    bool killed = true;
    for (int call = 1; call <= 45; ++call) {
        const TemporaryFolder place(TemporaryFolder::On::memory);
        if (replaces)
            makeFolder(place / "out", kOld);
        killed = replaceInChild(place / "out", {static_cast<Fault::Kind>(kind), call, 0});
        const bool there = fs::exists(place / "out");
        QVERIFY(there || (killed && !replaces));
        const Files found = there ? filesIn(place / "out") : Files();
        QVERIFY2(!there || found == kNew || (replaces && found == kOld), std::to_string(call).c_str());
        kills += killed ? 1 : 0;
        replaced += killed && found == kNew ? 1 : 0;
        replaceByNew(place / "out");  // removes what was left behind
        QVERIFY(filesIn(place / "out") == kNew);
        QCOMPARE(countIn(place.path()), size_t{1});
    }
    QVERIFY(!killed);  // every call had its turn
    std::cout << "measured: " << QTest::currentDataTag() << ": " << kills << " kills, whole each time, "
              << replaced << " of them behind the exchange\n";
    const bool anywhere = static_cast<Fault::Kind>(kind) != Fault::Kind::write_and_kill;
    QVERIFY(kills >= (anywhere ? 15 : 2));
    QVERIFY(!anywhere || (replaced >= 1 && replaced < kills));
}

/// A real limit of the kernel: 64 KiB a file.
void TestAtomicFolderFaults::saysWhenTheDiskIsFull() {
    const TemporaryFolder place;
    makeFolder(place / "out", kOld);
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit limit = {1 << 16, 1 << 16};
        ::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto refusal = refusalOf([&] { replaceByNew(place / "out"); });
        ::_exit(refusal && refusal->kind == ErrorKind::io && refusal->says("cannot write") ? 0 : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
    QVERIFY(filesIn(place / "out") == kOld);
    QCOMPARE(countIn(place.path()), size_t{1});
}

void TestAtomicFolderFaults::saysWhenFoldersCannotBeExchanged() {
    bool seen = false;
    for (int call = 1, calls = 0; calls >= call - 1; ++call) {
        const TemporaryFolder place(TemporaryFolder::On::memory);
        makeFolder(place / "out", kOld);
        armFault({Fault::Kind::error, call, EINVAL});
        const auto refusal = refusalOf([&] { replaceByNew(place / "out"); });
        calls = disarmFault();
        if (struckCall() != "renameat2")
            continue;
        seen = true;
        QVERIFY(refusal && refusal->says("remove the old one yourself"));
        QVERIFY(filesIn(place / "out") == kOld);
        QCOMPARE(countIn(place.path()), size_t{1});
    }
    QVERIFY(seen);
}

QTEST_GUILESS_MAIN(TestAtomicFolderFaults)
#include "tst_atomic_folder_faults.moc"
