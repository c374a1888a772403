// Reading and replacing whole files: what is no regular file, limits, files that change, and an old content
// that outlives every failure.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "tests/support/failing_calls.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;

namespace fs = std::filesystem;

class TestFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatIsThere();
    void refusesWhatIsNoFile_data();
    void refusesWhatIsNoFile();
    void refusesMoreThanTheLimit();
    void noticesAFileThatShrinks();
    void replacesKeepingNothingElse();
    void followsNoLinkWhenReplacing();
    void keepsTheOldContentAtEveryFailure();
    void keepsTheOldContentOnAFullDisk();
    void needsAWritableFolder();
    void takesNamesAsTheyAre();
    void hashesTextsAndFiles();

private:
    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();
};

namespace {

void put(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::ptrdiff_t countIn(const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// Runs `action` in a child process without root's rights. @return its exit code, 99 when it was killed
int asNobody(const std::function<int()>& action) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0) ? 98 : action());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

}  // namespace

void TestFiles::readsWhatIsThere() {
    const std::string bytes("\0\xFF\n\r", 4);
    put(folder_ / "a", bytes);
    put(folder_ / "empty", "");
    QCOMPARE(readFile(folder_ / "a", 4), bytes);
    QCOMPARE(readFile(folder_ / "empty", 0), std::string());
    fs::create_symlink("a", folder_ / "link");
    QCOMPARE(readFile(folder_ / "link", 4), bytes);
    for (const char* device : {"/dev/null", "/dev/zero", "/dev/full"})
        QVERIFY(refusalOf([&] { (void)readFile(device, 1 << 20); })->says("not a regular file"));
}

void TestFiles::refusesWhatIsNoFile_data() {
    QTest::addColumn<QString>("path");
    const fs::path fifo = folder_ / "fifo";
    QCOMPARE(::mkfifo(fifo.c_str(), 0600), 0);
    const fs::path socket = folder_ / "socket";
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    QVERIFY(socket.native().copy(address.sun_path, sizeof address.sun_path - 1) == socket.native().size());
    const FileHandle listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    QCOMPARE(::bind(listener.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    fs::create_symlink("fifo", folder_ / "link to fifo");
    // A device of our own: a test that fails must not have put a file in the place of /dev/null.
    if (::mknod((folder_ / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0)
        QTest::newRow("device") << QString::fromStdString(folder_ / "null");
    for (const fs::path& path : {fifo, socket, folder_ / "link to fifo", folder_})
        QTest::newRow(path.filename().c_str()) << QString::fromStdString(path);
}

/// At once, not when somebody writes into the FIFO; and nothing is put in the place of a device.
void TestFiles::refusesWhatIsNoFile() {
    QFETCH(QString, path);
    const fs::path file = path.toStdString();
    struct stat before = {};
    QCOMPARE(::stat(file.c_str(), &before), 0);
    const auto reading = refusalOf([&] { (void)readFile(file, 1 << 20); });
    const auto writing = refusalOf([&] { writeFileAtomically(file, "x"); });
    QVERIFY(reading && reading->says(file.native()) && reading->isOneLine());
    QVERIFY(reading->kind == ErrorKind::file_format || reading->kind == ErrorKind::io);
    QVERIFY(reading->seconds < most_seconds);
    QVERIFY(writing && writing->kind == ErrorKind::invalid_argument && writing->says("not a regular file"));
    struct stat after = {};
    QCOMPARE(::stat(file.c_str(), &after), 0);
    QCOMPARE(after.st_ino, before.st_ino);
}

void TestFiles::refusesMoreThanTheLimit() {
    put(folder_ / "eleven", "01234567890");
    QCOMPARE(readFile(folder_ / "eleven", 11).size(), size_t{11});
    const auto refusal = refusalOf([&] { (void)readFile(folder_ / "eleven", 10); });
    QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
    QVERIFY2(refusal->says("11 bytes, more than the limit of 10"), refusal->message.c_str());

    // 1 TiB that takes no disk: refused by its size, not after reading.
    const FileHandle sparse(::open((folder_ / "sparse").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (::ftruncate(sparse.descriptor(), off_t{1} << 40) != 0)
        QSKIP("the file system takes no sparse file of 1 TiB");
    const auto huge = refusalOf([&] { (void)readFile(folder_ / "sparse", 1 << 20); });
    QVERIFY(huge && huge->kind == ErrorKind::file_format && huge->seconds < most_seconds);
}

void TestFiles::noticesAFileThatShrinks() {
    // The size is taken first; a reader that is behind it by then must not wait or return zeros. A pause
    // between both is not to be had from outside, so the file is one whose size is not what can be read.
    const fs::path attribute = "/sys/kernel/mm/transparent_hugepage/enabled";
    struct stat status = {};
    if (::stat(attribute.c_str(), &status) != 0 || status.st_size < 1000)
        QSKIP("no file here says a size that it does not have");
    const auto refusal = refusalOf([&] { (void)readFile(attribute, 1 << 20); });
    QVERIFY(refusal && refusal->kind == ErrorKind::io && refusal->says("became shorter"));
}

void TestFiles::replacesKeepingNothingElse() {
    const fs::path folder = folder_ / "replace";
    fs::create_directory(folder);
    const fs::path path = folder / "f";
    const mode_t mask = ::umask(027);
    writeFileAtomically(path, "one");
    ::umask(mask);
    struct stat status = {};
    QCOMPARE(::stat(path.c_str(), &status), 0);
    QCOMPARE(status.st_mode & 0777u, 0640u);
    writeFileAtomically(path, std::string(3'000'000, 'x'));
    QCOMPARE(readFile(path, 1 << 22), std::string(3'000'000, 'x'));
    writeFileAtomically(path, "");
    QCOMPARE(readFile(path, 0), std::string());
    {
        AtomicFile pieces(path);
        pieces.append("a");
        pieces.append("");
        pieces.append("b");
        QCOMPARE(readFile(path, 0), std::string());
        pieces.commit();
    }
    QCOMPARE(readFile(path, 2), std::string("ab"));
    QCOMPARE(countIn(folder), std::ptrdiff_t{1});
}

void TestFiles::followsNoLinkWhenReplacing() {
    put(folder_ / "target", "theirs");
    fs::create_symlink("target", folder_ / "out");
    writeFileAtomically(folder_ / "out", "ours");
    QCOMPARE(readFile(folder_ / "target", 10), std::string("theirs"));
    QCOMPARE(readFile(folder_ / "out", 10), std::string("ours"));
}

/// Each call to the system fails in turn: the file has the old or the new content, and no temporary file
/// stays but where removing itself failed.
void TestFiles::keepsTheOldContentAtEveryFailure() {
    const fs::path folder = folder_ / "failures";
    int failures = 0;
    for (const int code : {ENOSPC, EIO, EDQUOT})
        for (int call = 1, calls = 0; calls >= call - 1; ++call) {
            fs::remove_all(folder);
            fs::create_directory(folder);
            put(folder / "f", "old");
            armFault({Fault::Kind::error, call, code});
            const auto refusal = refusalOf([&] { writeFileAtomically(folder / "f", "new"); });
            calls = disarmFault();
            const std::string content = readFile(folder / "f", 10);
            QVERIFY(content == "old" || content == "new");
            QVERIFY(refusal || content == "new");
            QVERIFY(!refusal || (refusal->kind == ErrorKind::io && refusal->says(folder.native())));
            QCOMPARE(countIn(folder), std::ptrdiff_t{1});
            failures += refusal ? 1 : 0;
        }
    std::cout << "measured: a file was replaced with " << failures << " failed calls, old or new each time\n";
    QVERIFY(failures >= 3 * 6);  // open, write, sync, close, rename, sync of the folder
}

/// A real limit of the kernel instead of a made-up error: 64 KiB a file.
void TestFiles::keepsTheOldContentOnAFullDisk() {
    const fs::path folder = folder_ / "full";
    fs::create_directory(folder);
    put(folder / "f", "old");
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit limit = {1 << 16, 1 << 16};
        ::signal(SIGXFSZ, SIG_IGN);
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
            ::_exit(1);
        const auto refusal = refusalOf([&] { writeFileAtomically(folder / "f", std::string(1 << 20, 'x')); });
        ::_exit(refusal && refusal->kind == ErrorKind::io && refusal->says("cannot write") ? 0 : 2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
    QCOMPARE(readFile(folder / "f", 10), std::string("old"));
    QCOMPARE(countIn(folder), std::ptrdiff_t{1});
}

void TestFiles::needsAWritableFolder() {
    const fs::path folder = folder_ / "read only";
    fs::create_directory(folder);
    put(folder / "f", "old");
    fs::permissions(folder_, fs::perms(0755));
    fs::permissions(folder, fs::perms(0555));
    const int code = asNobody([&] {
        const auto refusal = refusalOf([&] { writeFileAtomically(folder / "f", "new"); });
        return refusal && refusal->kind == ErrorKind::io && refusal->says("Permission denied") ? 0 : 1;
    });
    fs::permissions(folder / "f", fs::perms(0));
    const int code_of_reading = asNobody([&] {
        const auto refusal = refusalOf([&] { (void)readFile(folder / "f", 10); });
        return refusal && refusal->kind == ErrorKind::io && refusal->says("Permission denied") ? 0 : 1;
    });
    fs::permissions(folder, fs::perms(0755));
    fs::permissions(folder / "f", fs::perms(0644));
    QCOMPARE(code, 0);
    QCOMPARE(code_of_reading, 0);
    QCOMPARE(readFile(folder / "f", 10), std::string("old"));
    const auto missing = refusalOf([&] { writeFileAtomically(folder_ / "nowhere" / "f", "x"); });
    QVERIFY(missing && missing->kind == ErrorKind::not_found);
}

void TestFiles::takesNamesAsTheyAre() {
    const fs::path folder = folder_ / "names";
    fs::create_directory(folder);
    int count = 0;
    for (const std::string& name :
         {std::string("with space"), std::string("-leading"), std::string("\"quote'"), std::string("%s%n"),
          std::string("line\nbreak"), std::string("\xC3\xA9"), std::string("e\xCC\x81"),
          std::string("\xF0\x9F\x98\x80"), std::string("\xD7\xA9\xD7\x9C"), std::string("not\xFFutf8"),
          std::string(240, 'n')}) {
        writeFileAtomically(folder / name, name);
        QCOMPARE(readFile(folder / name, 300), name);
        QCOMPARE(countIn(folder), std::ptrdiff_t{++count});
        const auto refusal = refusalOf([&] { (void)readFile(folder / name, 0); });
        QVERIFY2(refusal && refusal->isOneLine(), name.c_str());
    }
    const auto too_long = refusalOf([&] { writeFileAtomically(folder / std::string(250, 'n'), "x"); });
    QVERIFY(too_long && too_long->isOneLine());
    fs::remove_all(folder);  // QTemporaryDir cannot remove what is not UTF-8
    std::cout << "measured: " << count << " unusual names written and read\n";
}

/// FIPS 180-4 vectors; of a file the same as of its bytes, also past one block of reading.
void TestFiles::hashesTextsAndFiles() {
    QCOMPARE(sha256Hex(""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    QCOMPARE(sha256Hex("abc"),
             std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    QCOMPARE(sha256Hex(std::string(1'000'000, 'a')),
             std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    const std::string bytes(3'000'000, 'x');
    put(folder_ / "large", bytes);
    put(folder_ / "none", "");
    QCOMPARE(sha256OfFile(folder_ / "large"), sha256Hex(bytes));
    QCOMPARE(sha256OfFile(folder_ / "none"), sha256Hex(""));
    QVERIFY(refusalOf([&] { (void)sha256OfFile(folder_); })->kind == ErrorKind::file_format);
    QVERIFY(refusalOf([&] { (void)sha256OfFile(folder_ / "absent"); })->kind == ErrorKind::not_found);
}

QTEST_GUILESS_MAIN(TestFiles)
#include "tst_files.moc"
