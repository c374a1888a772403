// readMachine on kernel files of other machines, and the two ways to ask this one: child processes and the
// sandbox probe.

#include <sys/stat.h>

#include <QTemporaryDir>
#include <QTest>
#include <cstdio>
#include <fstream>

#include "core/base/child_process.h"
#include "core/base/machine.h"

using namespace spd;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
}

/// A root folder with the kernel files that a machine of 16 GiB, 12 GiB of it free, would show.
class FakeRoot {
public:
    FakeRoot() {
        put(path() / "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Example CPU @ 2.00GHz\nmodel\t\t: 17\n\nprocessor\t: 1\n"
            "model name\t: Another\n");
        put(path() / "proc/loadavg", "3.25 1.00 0.50 2/300 4711\n");
        put(path() / "proc/meminfo",
            "MemTotal:       16777216 kB\nMemFree:          100000 kB\nMemAvailable:   12582912 kB\n");
    }
    fs::path path() const { return fs::path(folder_.path().toStdString()); }

private:
    QTemporaryDir folder_;
};

constexpr int64_t kGiB = int64_t{1} << 30;

}  // namespace

class TestMachine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void processorAndMemoryComeFromProc() {
        const FakeRoot root;
        const Machine machine = readMachine(root.path());
        QCOMPARE(machine.processor, std::string("Example CPU @ 2.00GHz"));
        QCOMPARE(machine.load, 3.25);
        QCOMPARE(machine.memory_total, 16 * kGiB);
        QCOMPARE(machine.memory_available, 12 * kGiB);
        QVERIFY(machine.threads >= 1);
        QVERIFY(machine.gpu_driver.empty() && machine.gpus.empty());
    }

    void nothingThereIsNoError() {
        const QTemporaryDir empty;
        const Machine machine = readMachine(empty.path().toStdString());
        QVERIFY(!machine.processor.empty());  // the architecture
        QCOMPARE(machine.memory_total, int64_t{0});
    }

    void aContainersLimitCounts_data() {
        QTest::addColumn<QString>("limit_file");
        QTest::addColumn<QString>("usage_file");
        QTest::addColumn<QString>("limit");
        QTest::addColumn<qint64>("total");
        QTest::addColumn<qint64>("available");
        const QString v1 = "sys/fs/cgroup/memory/memory.", v2 = "sys/fs/cgroup/memory.";
        QTest::newRow("v2") << v2 + "max" << v2 + "current"
                            << "4294967296\n"
                            << qint64(4 * kGiB) << qint64(3 * kGiB);
        QTest::newRow("v1") << v1 + "limit_in_bytes" << v1 + "usage_in_bytes"
                            << "4294967296\n"
                            << qint64(4 * kGiB) << qint64(3 * kGiB);
        QTest::newRow("v2 without") << v2 + "max" << v2 + "current"
                                    << "max\n"
                                    << qint64(16 * kGiB) << qint64(12 * kGiB);
        QTest::newRow("v1 without") << v1 + "limit_in_bytes" << v1 + "usage_in_bytes"
                                    << "9223372036854771712\n"
                                    << qint64(16 * kGiB) << qint64(12 * kGiB);
    }
    void aContainersLimitCounts() {
        QFETCH(QString, limit_file);
        QFETCH(QString, usage_file);
        QFETCH(QString, limit);
        const FakeRoot root;
        put(root.path() / limit_file.toStdString(), limit.toStdString());
        put(root.path() / usage_file.toStdString(), "1073741824\n");
        const Machine machine = readMachine(root.path());
        QTEST(qint64(machine.memory_total), "total");
        QTEST(qint64(machine.memory_available), "available");
    }

    void driverVersionIsFound_data() {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("version");
        QTest::newRow("closed")
            << "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024"
            << "550.54.15";
        QTest::newRow("open")
            << "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build"
            << "570.86.10";
        QTest::newRow("unreadable") << "NVRM version: "
                                    << "";
    }
    void driverVersionIsFound() {
        QFETCH(QString, line);
        const FakeRoot root;
        put(root.path() / "proc/driver/nvidia/version", line.toStdString() + "\nGCC version:  gcc 12.2.0\n");
        put(root.path() / "proc/driver/nvidia/gpus/0000:01:00.0/information",
            "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 12\n");
        const Machine machine = readMachine(root.path());
        QTEST(QString::fromStdString(machine.gpu_driver), "version");
        QCOMPARE(machine.gpus, std::vector<std::string>{"NVIDIA H100 80GB HBM3"});
    }

    void freeDiskOfAFolderThatIsNotThereYet() {
        const QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        const std::optional<int64_t> here = freeDiskBytes(path);
        const std::optional<int64_t> below = freeDiskBytes(path / "not" / "there");
        QVERIFY(here && below && *here > 0);
        QVERIFY(std::abs(*here - *below) < kGiB);  // others write meanwhile
        QVERIFY(freeDiskBytes("/proc") != here);
    }

    void childsOutputAndExitCode() {
        const ChildResult result = runChild({"sh", "-c", "echo out; echo err >&2; exit 3"}, 5s);
        QVERIFY(result.started && !result.timed_out);
        QCOMPARE(result.exit_code, 3);
        QCOMPARE(result.output, std::string("out\nerr\n"));
        QCOMPARE(runChild({"sh", "-c", "kill -TERM $$"}, 5s).exit_code, 128 + 15);
        QVERIFY(!runChild({"/no/such/program"}, 5s).started);
    }

    void childIsBoundedInTimeAndOutput() {
        const auto start = std::chrono::steady_clock::now();
        QVERIFY(runChild({"sleep", "30"}, 200ms).timed_out);
        QVERIFY(std::chrono::steady_clock::now() - start < 5s);
        const ChildResult noisy = runChild({"sh", "-c", "head -c 1000000 /dev/zero"}, 5s);
        QCOMPARE(noisy.exit_code, 0);
        QCOMPARE(noisy.output.size(), size_t{65536});
    }

    void childSeesNoDescriptorOfOurs() {
        QTemporaryDir folder;
        const std::string path = folder.filePath("open").toStdString();
        FILE* leaky = std::fopen(path.c_str(), "w");  // without close-on-exec
        const ChildResult result = runChild({"sh", "-c", "ls /proc/$$/fd"}, 5s);
        std::fclose(leaky);
        QCOMPARE(result.output, std::string("0\n1\n2\n"));
    }

    void remedyFollowsTheKernelsSettings() {
        const FakeRoot root;
        const fs::path settings = root.path() / "proc/sys";
        QVERIFY(namespaceRemedy(root.path()).find("container") != std::string::npos);
        put(settings / "user/max_user_namespaces", "0\n");
        QVERIFY(namespaceRemedy(root.path()).find("user.max_user_namespaces") != std::string::npos);
        put(settings / "kernel/unprivileged_userns_clone", "0\n");
        QVERIFY(namespaceRemedy(root.path()).find("unprivileged_userns_clone") != std::string::npos);
        put(settings / "kernel/apparmor_restrict_unprivileged_userns", "1\n");
        QVERIFY(namespaceRemedy(root.path()).find("apparmor_parser") != std::string::npos);
        put(settings / "kernel/apparmor_restrict_unprivileged_userns", "0\n");
        QVERIFY(namespaceRemedy(root.path()).find("unprivileged_userns_clone") != std::string::npos);
    }

    void sandboxStates() {
        QTemporaryDir folder;
        const fs::path fake = folder.filePath("bwrap").toStdString();
        QCOMPARE(probeSandbox(fake).state, SandboxProbe::State::no_bubblewrap);
        put(fake,
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 'bubblewrap 9.9' && exit 0\n"
            "echo 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n");
        fs::permissions(fake, fs::perms::owner_all);
        const SandboxProbe blocked = probeSandbox(fake);
        QCOMPARE(blocked.state, SandboxProbe::State::blocked);
        QCOMPARE(blocked.version, std::string("9.9"));
        QCOMPARE(blocked.detail, std::string("bwrap: setting up uid map: Permission denied"));
    }
};

QTEST_GUILESS_MAIN(TestMachine)
#include "tst_machine.moc"
