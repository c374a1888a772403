// Every call of the system that recording a run makes is killed in front of, halved, or fails: what was
// returned is there afterwards, what failed can be tried again on the same store, and the next start has
// nothing to complain about.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <cstdio>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/store/run_store.h"
#include "tests/support/failing_calls.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 6;

/// What a run records, one step after the other; each can be tried again.
class Recording {
public:
    explicit Recording(fs::path workspace) : workspace_(std::move(workspace)) {
        fs::create_directories(folder());
    }

    void step(int number) {
        switch (number) {
            case 0:
                store_ = std::make_unique<RunStore>(RunStore::open(workspace_));
                break;
            case 1:
                run_ = store_->beginRun({.experiment = store_->beginExperiment("e", "").id,
                                         .method = "spd",
                                         .seed = 1,
                                         .point = "",
                                         .folder = folder()});
                break;
            case 2:
                store_->logMetrics(run_, {{"loss", 1, 0.5}, {"rate", 1, 0.25}});
                break;
            case 3:
                store_->setParams(run_, {{"a", std::string(9000, 'x')}, {"b", ""}});
                break;
            case 4:
                store_->setTag(run_, {"good", "yes"});
                break;
            default:
                store_->endRun(run_, RunStatus::finished);
                store_.reset();
        }
    }

private:
    fs::path folder() const { return workspace_ / "run"; }

    fs::path workspace_;
    std::unique_ptr<RunStore> store_;
    std::string run_;
};

/// What is wrong in the workspace when the first `done` steps had returned; empty: nothing.
std::string problemAfter(const fs::path& workspace, int done) {
    const RunStore store = RunStore::open(workspace);
    if (!store.notices().empty())
        return store.notices()[0];
    if (!store.checkIntegrity().empty())
        return store.checkIntegrity()[0];
    const std::vector<RunRecord> runs = store.runs();
    if (runs.size() > 1 || (done >= 2 && runs.empty()))
        return "runs";
    if (runs.empty())
        return "";
    const std::string& run = runs[0].id;
    const size_t metrics = store.finalMetrics(run).size();
    const size_t params = store.params(run).size();
    if ((metrics != 2 && metrics != 0) || (done >= 3 && metrics == 0))
        return "metrics";
    if ((params != 2 && params != 0) || (done >= 4 && params == 0))
        return "params";
    if (done >= 5 && store.tags(run).size() != 1)
        return "tags";
    if (runs[0].status == RunStatus::running || (done >= 6 && runs[0].status != RunStatus::finished))
        return "status";
    return "";
}

int waitFor(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Steps that returned before the fault ended the process. @return -1 when it was not killed
int stepsBeforeDeath(const fs::path& workspace, const Fault& fault) {
    int ends[2];
    if (::pipe(ends) != 0)
        return -2;
    const pid_t child = ::fork();
    if (child == 0) {
        Recording recording(workspace);
        armFault(fault);
        for (int number = 0; number < kSteps; ++number) {
            recording.step(number);
            disarmFault();  // the pipe is not a part of it; the count goes on
            (void)!::write(ends[1], "s", 1);
            resumeFault();
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    const int code = waitFor(child);
    int done = 0;
    char byte = 0;
    while (::read(ends[0], &byte, 1) == 1)
        ++done;
    ::close(ends[0]);
    return code == 128 + SIGKILL ? done : -1;
}

int callsInAll() {
    const TemporaryFolder folder(TemporaryFolder::On::memory);
    Recording recording(folder.path());
    armFault({});
    for (int number = 0; number < kSteps; ++number)
        recording.step(number);
    return disarmFault();
}

}  // namespace

class TestRunStoreFaults : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void killedAtEveryCall() {
        const int calls = callsInAll();
        const std::map<Fault::Kind, int> strides = {
            {Fault::Kind::kill, 1}, {Fault::Kind::write_and_kill, 3}, {Fault::Kind::power_loss, 3}};
        std::set<int> reached;
        int kills = 0;
        for (const auto& [kind, stride] : strides)
            for (int call = 1; call <= calls; call += stride) {
                const TemporaryFolder folder(TemporaryFolder::On::memory);
                const int done = stepsBeforeDeath(folder.path(), {.kind = kind, .call = call});
                if (kind == Fault::Kind::write_and_kill && done == -1)
                    continue;  // that call is no write
                const std::string where = std::to_string(call) + " after " + std::to_string(done) + " steps";
                QVERIFY2(done >= 0, where.c_str());
                const std::string problem = problemAfter(folder.path(), done);
                QVERIFY2(problem.empty(), (where + ": " + problem).c_str());
                reached.insert(done);
                ++kills;
            }
        QCOMPARE(reached.size(), size_t{kSteps});
        std::printf("measured: %d calls to record a run, %d kills at them, no returned row lost\n", calls,
                    kills);
    }

    void everyCallFails() {
        const int calls = callsInAll();
        int failures = 0;
        int refusals = 0;
        const std::vector<Fault> faults = {{Fault::Kind::error, 0, ENOSPC},
                                           {Fault::Kind::error, 0, EIO},
                                           {Fault::Kind::error, 0, EINTR},
                                           {Fault::Kind::errors, 0, ENOSPC},
                                           {Fault::Kind::short_write, 0, 0}};
        for (size_t i = 0; i < faults.size(); ++i)
            for (int call = 1 + static_cast<int>(i) % 3; call <= calls; call += 3) {
                const TemporaryFolder folder(TemporaryFolder::On::memory);
                Fault fault = faults[i];
                fault.call = call;
                Recording recording(folder.path());
                armFault(fault);
                for (int number = 0; number < kSteps; ++number) {
                    try {
                        recording.step(number);
                    } catch (const Error& error) {
                        disarmFault();
                        ++refusals;
                        const std::string what = error.what();
                        QVERIFY2(error.kind() == ErrorKind::io && what.find('\n') == std::string::npos,
                                 (std::to_string(call) + ": " + what).c_str());
                        recording.step(number);  // the same call on the same store
                    }
                }
                disarmFault();
                ++failures;
                const std::string problem = problemAfter(folder.path(), kSteps);
                QVERIFY2(problem.empty(), (std::to_string(call) + ": " + problem).c_str());
            }
        QVERIFY(refusals > failures / 4);
        std::printf("measured: %d failing calls, %d told, all recorded at the second try\n", failures,
                    refusals);
    }
};

QTEST_GUILESS_MAIN(TestRunStoreFaults)
#include "tst_run_store_faults.moc"
