// A corpus while the disk fails or the process dies: every call to the system in turn is made to fail, to
// write half or to be the last one; after each the same command must end with the same bytes.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <map>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/corpus_file.h"
#include "tests/support/failing_calls.h"

using namespace spd;
using namespace spd::test;

namespace fs = std::filesystem;

namespace {

const std::vector<PromptId> kIds = {int64_t{7}, std::string("7"), std::string("b\n\"c"), int64_t{-1}};
const std::vector<size_t> kCompletionOrder = {2, 0, 3, 1};

CorpusRecord record(size_t index) {
    const std::string number = std::to_string(index);
    return {kIds[index],
            "prompt " + number,
            "completion " + std::string(index * 50, 'x'),
            std::vector<int32_t>(index + 1, 5),
            index % 2 == 0 ? "stop" : "length",
            3};
}

std::string lineOf(size_t index) {
    return toJsonLine(record(index)) + "\n";
}

/// Names and contents of the files in a folder.
using Folder = std::map<std::string, std::string>;

Folder readFolder(const fs::path& folder) {
    Folder files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        files[entry.path().filename()] = readFile(entry.path(), 1 << 20);
    return files;
}

void makeFolder(const fs::path& folder, const Folder& files) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    for (const auto& [name, bytes] : files)
        std::ofstream(folder / name, std::ios::binary) << bytes;
}

/// The work of a process: what is not done yet, then OUT. Counts each record as soon as it is safe.
void work(const fs::path& folder, double temperature, bool overwrite, int& acknowledged) {
    const nlohmann::ordered_json meta = {{"stage", "generate"}, {"temperature", temperature}};
    CorpusWriter writer = CorpusWriter::open(folder / "x.jsonl", meta, kIds, overwrite);
    for (const size_t index : kCompletionOrder)
        if (!writer.isDone(index)) {
            writer.append(index, record(index));
            ++acknowledged;
        }
    writer.finish();
}

/// What a child process tells; lies in memory that outlives its SIGKILL.
struct Report {
    int acknowledged = 0;
    int calls = 0;
    bool names_the_file = false;
    std::string_view call;  ///< that was struck; a literal, so that the parent has it too
};

/// Works in a child process. Its exit code is 0; 3 after an spd::Error of kind io, 4 after another one.
/// @return waitpid()'s status
int workInChild(const fs::path& folder, bool overwrite, const Fault& fault, Report& result) {
    void* memory = ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    auto* report = new (memory) Report{};
    const pid_t child = ::fork();
    if (child == 0) {
        armFault(fault);
        int code = 0;
        try {
            work(folder, 1, overwrite, report->acknowledged);
        } catch (const Error& error) {
            code = error.kind() == ErrorKind::io ? 3 : 4;
            report->names_the_file = std::string(error.what()).starts_with(folder.native());
        }
        report->calls = disarmFault();
        report->call = struckCall();
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    result = *report;
    ::munmap(memory, sizeof(Report));
    return status;
}

/// Why a child may not end like this; empty when it may.
std::string wrongEnd(int status, const Report& report, const Fault& fault) {
    const bool kills = fault.kind == Fault::Kind::kill || fault.kind == Fault::Kind::write_and_kill ||
                       fault.kind == Fault::Kind::power_loss;
    if (WIFSIGNALED(status))
        return kills && WTERMSIG(status) == SIGKILL ? "" : "died";
    const int code = WEXITSTATUS(status);
    const bool is_write = report.call == "write" || report.call == "pwrite";
    if (is_write && code != 0 && (fault.kind == Fault::Kind::short_write || fault.code == EINTR))
        return "took a short or interrupted write for an error";
    if (code == 3 && !report.names_the_file)
        return "a message without the file";
    return code == 0 || code == 3 ? "" : "ended with " + std::to_string(code);
}

struct Scenario {
    const char* name;
    Folder before;
    int done;        ///< records of the command that `before` holds
    bool overwrite;  ///< what lies there is another command's
};

}  // namespace

class TestCorpusFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void survivesAFaultAtEveryCall_data();
    void survivesAFaultAtEveryCall();

private:
    /// Empty when all is well. @param was_reached  false when the work made fewer calls.
    std::string survive(const Scenario& scenario, const Fault& fault, bool& was_reached);
    std::string goOn(const Scenario& scenario, int acknowledged);

    // tmpfs where there is one: thousands of syncs are no test of the disk.
    QTemporaryDir temporary_{(fs::is_directory("/dev/shm") ? QStringLiteral("/dev/shm") : QDir::tempPath()) +
                             "/spd-corpus-faults-XXXXXX"};
    fs::path folder_ = temporary_.path().toStdString() + "/run";
    Folder finished_;  ///< what an unbroken run leaves
    std::vector<Scenario> scenarios_;
    int stopped_ = 0;  ///< children that failed or died
};

void TestCorpusFaults::initTestCase() {
    QVERIFY(temporary_.isValid());
    int count = 0;
    makeFolder(folder_, {});
    work(folder_, 0.5, false, count);
    Folder other = {{"x.meta.json", readFolder(folder_)["x.meta.json"]}};
    makeFolder(folder_, {});
    work(folder_, 1, false, count);
    finished_ = readFolder(folder_);
    QCOMPARE(count, 8);
    QCOMPARE(finished_.size(), size_t{2});
    QCOMPARE(finished_["x.jsonl"], lineOf(0) + lineOf(1) + lineOf(2) + lineOf(3));

    for (size_t index = 0; index < kIds.size(); ++index) {
        CorpusRecord of_other = record(index);
        of_other.completion += " of another command";
        other["x.jsonl"] += toJsonLine(of_other) + "\n";
    }
    const std::string meta = finished_["x.meta.json"];
    // The torn line is longer than the next one to come.
    const std::string torn = lineOf(2) + lineOf(3).substr(0, lineOf(3).size() - 2);
    const std::string all = lineOf(2) + lineOf(0) + lineOf(3) + lineOf(1);
    scenarios_ = {
        {"nothing", {}, 0, false},
        {"begun", {{"x.meta.json", meta}, {"x.partial.jsonl", torn}}, 1, false},
        {"all done", {{"x.meta.json", meta}, {"x.partial.jsonl", all}}, 4, false},
        {"after a kill",
         {{"x.meta.json", meta}, {"x.partial.jsonl", torn}, {".x.jsonl.tmp-abcdef", "{"}, {".x.lock", ""}},
         1,
         false},
        {"another one finished", other, 0, true},
        {"another one begun", {{"x.meta.json", other["x.meta.json"]}, {"x.partial.jsonl", torn}}, 0, true},
    };
}

/// The same command again, without a fault.
std::string TestCorpusFaults::goOn(const Scenario& scenario, int acknowledged) {
    int asked_for = 0;
    try {
        work(folder_, 1, false, asked_for);
    } catch (const Error& error) {
        if (!scenario.overwrite || error.kind() != ErrorKind::invalid_argument)
            return error.what();
        work(folder_, 1, true, asked_for);
    }
    if (asked_for > 4 - scenario.done - acknowledged)
        return "a record that was safe is asked for again";
    return readFolder(folder_) == finished_ ? "" : "the folder differs from that of an unbroken run";
}

std::string TestCorpusFaults::survive(const Scenario& scenario, const Fault& fault, bool& was_reached) {
    makeFolder(folder_, scenario.before);
    Report report;
    const int status = workInChild(folder_, scenario.overwrite, fault, report);
    was_reached = WIFSIGNALED(status) || report.calls >= fault.call;
    stopped_ += status == 0 ? 0 : 1;
    if (const std::string wrong = wrongEnd(status, report, fault); !wrong.empty())
        return wrong;

    Folder after = readFolder(folder_);
    const auto old_out = scenario.before.find("x.jsonl");
    const bool is_old =
        old_out == scenario.before.end() ? after.count("x.jsonl") == 0 : after["x.jsonl"] == old_out->second;
    const bool is_new = after["x.jsonl"] == finished_["x.jsonl"];
    if (!is_old && !is_new)
        return "OUT is neither the old one nor the new one";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !is_new)
        return "said done, and is not";
    return goOn(scenario, report.acknowledged);
}

void TestCorpusFaults::survivesAFaultAtEveryCall_data() {
    QTest::addColumn<int>("kind");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, Fault::Kind kind, int code) {
        QTest::newRow(name) << static_cast<int>(kind) << code;
    };
    row("disk full once", Fault::Kind::error, ENOSPC);
    row("disk full from then on", Fault::Kind::errors, ENOSPC);
    row("input/output error", Fault::Kind::error, EIO);
    row("interrupted", Fault::Kind::error, EINTR);
    row("half written", Fault::Kind::short_write, 0);
    row("killed", Fault::Kind::kill, 0);
    row("half written and killed", Fault::Kind::write_and_kill, 0);
    row("loss of power", Fault::Kind::power_loss, 0);
}

void TestCorpusFaults::survivesAFaultAtEveryCall() {
    QFETCH(int, kind);
    QFETCH(int, code);
    int points = 0;
    stopped_ = 0;
    for (const Scenario& scenario : scenarios_) {
        bool was_reached = true;
        for (int call = 1; was_reached; ++call) {
            const Fault fault = {static_cast<Fault::Kind>(kind), call, code};
            const std::string wrong = survive(scenario, fault, was_reached);
            QVERIFY2(wrong.empty(),
                     (std::string(scenario.name) + ", call " + std::to_string(call) + ": " + wrong).c_str());
            points += was_reached ? 1 : 0;
        }
    }
    std::cout << "measured: " << QTest::currentDataTag() << " at each of " << points << " calls: " << stopped_
              << " runs stopped, every corpus whole and equal after it\n";
    QVERIFY(points > 100);
    QCOMPARE(stopped_ == 0, static_cast<Fault::Kind>(kind) == Fault::Kind::short_write);
}

QTEST_GUILESS_MAIN(TestCorpusFaults)
#include "tst_corpus_faults.moc"
