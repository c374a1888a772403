// Safetensors files as the file system has them: hardening.md 3.1 F1 to F3, 3.2 I1 and I6.

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

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

class TestSafetensorsFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { dir_ = std::make_unique<QTemporaryDir>(); }
    void refusesWhatIsNoRegularFile();
    void refusesDevices();
    void refusesADeviceInTheFolder();
    void noticesThatTheFileBecameShorter();
    void noticesThatTheFileChanged();
    void staysInsideTheFolder();

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
};

/// F3: nothing is waited for.
void TestSafetensorsFiles::refusesWhatIsNoRegularFile() {
    QCOMPARE(mkfifo((folder() / "fifo.safetensors").c_str(), 0600), 0);
    fs::create_directory(folder() / "folder.safetensors");
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string socket_path = folder() / "s.safetensors";
    QVERIFY(socket_path.size() < sizeof address.sun_path);
    std::strcpy(address.sun_path, socket_path.c_str());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    QCOMPARE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    fs::create_symlink("/dev/zero", folder() / "link.safetensors");
    for (const char* name : {"fifo.safetensors", "folder.safetensors", "s.safetensors", "link.safetensors"}) {
        const auto refusal = refusalOf([&] { open(name); });
        QVERIFY2(refusal, name);
        QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->says(name), refusal->message.c_str());
        QVERIFY(refusal->seconds < most_seconds);
    }
    ::close(socket);
    QVERIFY(refusalOf([&] { open("none.safetensors"); })->kind == ErrorKind::not_found);
}

/// F3 with devices that stand under a plain name, without a link.
void TestSafetensorsFiles::refusesDevices() {
    const ContainedFolder devices = ContainedFolder::open("/dev");
    for (const char* name : {"null", "zero", "full"}) {
        const auto refusal = refusalOf([&] { SafetensorsFile::open(devices, name); });
        QVERIFY2(refusal, name);
        QVERIFY2(refusal->kind == ErrorKind::file_format && refusal->says("not a regular file"),
                 refusal->message.c_str());
    }
}

void TestSafetensorsFiles::refusesADeviceInTheFolder() {
    if (::mknod((folder() / "device.safetensors").c_str(), S_IFCHR | 0600, makedev(1, 5)) != 0)
        QSKIP(("no device can be made here: " + std::string(std::strerror(errno))).c_str());
    const auto refusal = refusalOf([&] { open("device.safetensors"); });
    QVERIFY(refusal);
    QVERIFY2(
        refusal->kind == ErrorKind::file_format && refusal->says("device.safetensors: not a regular file"),
        refusal->message.c_str());
}

/// F1: a shorter file is an error, not a signal.
void TestSafetensorsFiles::noticesThatTheFileBecameShorter() {
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
void TestSafetensorsFiles::noticesThatTheFileChanged() {
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
void TestSafetensorsFiles::staysInsideTheFolder() {
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
std::string TestSafetensorsFiles::whatLeaks() const {
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

QTEST_GUILESS_MAIN(TestSafetensorsFiles)
#include "tst_safetensors_files.moc"
