// The safetensors reader against hardening.md 3.1: every line is refused or accepted, and says why.

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "core/io/safetensors/file.h"
#include "tests/support/hostile_safetensors.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;

namespace {

/// From now on openat2() answers ENOSYS to this process.
bool forbidOpenat2() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter = {std::size(program), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void refuses_data();
    void refuses();
    void coversEveryRule();
    void accepts_data();
    void accepts();
    void readsUnalignedElements();
    void refusesWhatIsNoRegularFile();
    void noticesThatTheFileBecameShorter();
    void noticesThatTheFileChanged();
    void staysInsideTheFolder();
    void cleanupTestCase();

private:
    fs::path folder() const { return dir_->path().toStdString(); }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder() / name, std::ios::binary) << bytes;
    }
    std::string whatLeaks() const;
    SafetensorsFile open(const std::string& name) const {
        return SafetensorsFile::open(ContainedFolder::open(folder()), name);
    }

    std::unique_ptr<QTemporaryDir> dir_;
    double slowest_ = 0;
    std::string slowest_case_;
    int refused_ = 0;
};

void TestSafetensors::init() {
    dir_ = std::make_unique<QTemporaryDir>();
}

void TestSafetensors::refuses_data() {
    QTest::addColumn<int>("index");
    int index = 0;
    for (const SafetensorsCase& one : safetensorsToRefuse()) {
        QTest::addRow("%s %d %s", one.rule.c_str(), index, one.what.c_str()) << index;
        ++index;
    }
}

void TestSafetensors::refuses() {
    QFETCH(int, index);
    static const std::vector<SafetensorsCase> cases = safetensorsToRefuse();
    const SafetensorsCase& one = cases[static_cast<size_t>(index)];
    write("bad.safetensors", one.bytes());
    if (one.file_bytes != 0)
        fs::resize_file(folder() / "bad.safetensors", one.file_bytes);
    const auto refusal = refusalOf([&] { open("bad.safetensors"); });
    QVERIFY2(refusal, "accepted");
    QVERIFY2(refusal->kind == one.kind, refusal->message.c_str());
    QVERIFY2(refusal->isOneLine(), refusal->message.c_str());
    QVERIFY2(refusal->says("bad.safetensors") && refusal->says(one.says), refusal->message.c_str());
    QVERIFY2(refusal->message.size() < 1000, refusal->message.c_str());
    QVERIFY2(refusal->seconds < most_seconds, std::to_string(refusal->seconds).c_str());
    ++refused_;
    if (refusal->seconds > slowest_) {
        slowest_ = refusal->seconds;
        slowest_case_ = one.rule + " " + one.what;
    }
}

void TestSafetensors::coversEveryRule() {
    std::set<std::string> rules;
    for (const SafetensorsCase& one : safetensorsToRefuse())
        rules.insert(one.rule);
    for (const SafetensorsCase& one : safetensorsToAccept())
        rules.insert(one.rule);
    for (int rule = 1; rule <= 42; ++rule)
        QVERIFY2(rules.contains("S" + std::to_string(rule)), std::to_string(rule).c_str());
}

void TestSafetensors::accepts_data() {
    QTest::addColumn<int>("index");
    int index = 0;
    for (const SafetensorsCase& one : safetensorsToAccept()) {
        QTest::addRow("%s %d %s", one.rule.c_str(), index, one.what.c_str()) << index;
        ++index;
    }
}

void TestSafetensors::accepts() {
    QFETCH(int, index);
    const SafetensorsCase one = safetensorsToAccept()[static_cast<size_t>(index)];
    write("good.safetensors", one.bytes());
    const auto refusal = refusalOf([&] { open("good.safetensors"); });
    QVERIFY2(!refusal, refusal ? refusal->message.c_str() : "");
}

/// S39: the reader copies; an element may lie anywhere.
void TestSafetensors::readsUnalignedElements() {
    const float values[2] = {1.5F, -3.25F};
    std::string data(9, 'x');
    std::memcpy(data.data() + 1, values, sizeof values);
    write("odd.safetensors", safetensorsFile("{" + tensorJson("a", "\"U8\"", "[1]", "[0,1]") + "," +
                                                 tensorJson("f", "\"F32\"", "[2]", "[1,9]") + "}",
                                             data));
    const SafetensorsFile file = open("odd.safetensors");
    const TensorEntry& entry = file.header().tensors.at(1);
    QCOMPARE(entry.name, std::string("f"));
    float read[2] = {};
    file.read(entry, 0, sizeof read, read);
    QCOMPARE(read[0], values[0]);
    QCOMPARE(read[1], values[1]);
    QVERIFY(refusalOf([&] { file.read(entry, 4, 8, read); })->kind == ErrorKind::internal);
}

/// F3: nothing is waited for.
void TestSafetensors::refusesWhatIsNoRegularFile() {
    QCOMPARE(mkfifo((folder() / "fifo.safetensors").c_str(), 0600), 0);
    fs::create_directory(folder() / "folder.safetensors");
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string socket_path = folder() / "s.safetensors";
    QVERIFY(socket_path.size() < sizeof address.sun_path);
    std::strcpy(address.sun_path, socket_path.c_str());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    QCOMPARE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    fs::create_symlink("/dev/zero", folder() / "device.safetensors");
    for (const char* name :
         {"fifo.safetensors", "folder.safetensors", "s.safetensors", "device.safetensors"}) {
        const auto refusal = refusalOf([&] { open(name); });
        QVERIFY2(refusal, name);
        QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->says(name), refusal->message.c_str());
        QVERIFY(refusal->seconds < most_seconds);
    }
    ::close(socket);
    QVERIFY(refusalOf([&] { open("none.safetensors"); })->kind == ErrorKind::not_found);
}

/// F1: a shorter file is an error, not a signal.
void TestSafetensors::noticesThatTheFileBecameShorter() {
    const std::string header = "{" + tensorJson("a", "\"U8\"", "[1000000]", "[0,1000000]") + "}";
    write("f.safetensors", safetensorsFile(header, std::string(1'000'000, 'd')));
    const SafetensorsFile file = open("f.safetensors");
    fs::resize_file(folder() / "f.safetensors", 500'000);
    std::string out(1'000'000, '\0');
    const auto refusal = refusalOf([&] { file.read(file.header().tensors[0], 0, out.size(), out.data()); });
    QVERIFY(refusal);
    QVERIFY(refusal->kind == ErrorKind::io);
    QVERIFY2(refusal->says("shorter"), refusal->message.c_str());
}

/// F2: written to, or another file under its name.
void TestSafetensors::noticesThatTheFileChanged() {
    const std::string bytes = safetensorsFile("{" + tensorJson("a", "\"U8\"", "[4]", "[0,4]") + "}", "1234");
    const ContainedFolder inside = ContainedFolder::open(folder());
    for (const std::string how : {"untouched", "time", "size", "replaced"}) {
        write("f.safetensors", bytes);
        const SafetensorsFile file = open("f.safetensors");
        if (how == "time")
            fs::last_write_time(folder() / "f.safetensors",
                                fs::file_time_type::clock::now() + std::chrono::hours(1));
        if (how == "size")
            fs::resize_file(folder() / "f.safetensors", bytes.size() + 1);
        if (how == "replaced") {
            write("other", bytes);
            fs::rename(folder() / "other", folder() / "f.safetensors");
        }
        const auto refusal = refusalOf([&] { file.checkUnchanged(inside); });
        QCOMPARE(refusal.has_value(), how != "untouched");
        QVERIFY(!refusal || (refusal->kind == ErrorKind::io && refusal->says("changed")));
    }
}

/// I1, I6: plain names, and links that end inside.
void TestSafetensors::staysInsideTheFolder() {
    const fs::path cache = folder() / "models--org--name";
    const fs::path snapshot = cache / "snapshots" / "0123abcd";
    fs::create_directories(snapshot);
    fs::create_directories(cache / "blobs");
    fs::create_directories(folder() / "plain");
    const std::string bytes = safetensorsFile("{}");
    write("secret.safetensors", bytes);
    std::ofstream(cache / "blobs" / "blob") << bytes;
    std::ofstream(folder() / "plain" / "real.safetensors") << bytes;
    fs::create_symlink("../../blobs/blob", snapshot / "in.safetensors");
    fs::create_symlink("../../../secret.safetensors", snapshot / "out.safetensors");
    fs::create_symlink(folder() / "secret.safetensors", snapshot / "absolute.safetensors");
    fs::create_symlink("real.safetensors", folder() / "plain" / "in.safetensors");
    fs::create_symlink("../secret.safetensors", folder() / "plain" / "out.safetensors");
    fs::create_symlink("loop.safetensors", folder() / "plain" / "loop.safetensors");

    QCOMPARE(whatLeaks(), std::string());

    // The same where the system call that does this at once is not to be had, as in some sandboxes.
    const pid_t child = fork();
    if (child == 0)
        _exit(forbidOpenat2() && syscall(SYS_openat2, 0, nullptr, nullptr, 0) == -1 && errno == ENOSYS &&
                      whatLeaks().empty()
                  ? 0
                  : 1);
    int status = 0;
    QCOMPARE(waitpid(child, &status, 0), child);
    QCOMPARE(status, 0);
}

/// What staysInsideTheFolder() laid out: the first name that is opened and should not be, or the other way
/// round.
std::string TestSafetensors::whatLeaks() const {
    const ContainedFolder in_cache = ContainedFolder::open(folder() / "models--org--name/snapshots/0123abcd");
    const ContainedFolder plain = ContainedFolder::open(folder() / "plain");
    const auto refused = [](const ContainedFolder& inside, const std::string& name) {
        const auto refusal = refusalOf([&] { SafetensorsFile::open(inside, name); });
        return refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine();
    };
    for (const ContainedFolder* inside : {&in_cache, &plain}) {
        if (refusalOf([&] { SafetensorsFile::open(*inside, "in.safetensors"); }))
            return "in.safetensors is refused";
        if (!refused(*inside, "out.safetensors"))
            return "out.safetensors is opened";
    }
    if (!refused(in_cache, "absolute.safetensors"))
        return "absolute.safetensors is opened";
    for (const std::string name :
         {"loop.safetensors", "../secret.safetensors", "", ".", "..", "a\\b", "/etc/passwd"})
        if (!refused(plain, name))
            return name + " is opened";
    if (!refused(plain, std::string("a\0b", 3)))
        return "a name with NUL is opened";
    return "";
}

void TestSafetensors::cleanupTestCase() {
    std::cout << "measured: safetensors files refused " << refused_ << ", slowest " << slowest_ << " s ("
              << slowest_case_ << ")\n";
}

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
