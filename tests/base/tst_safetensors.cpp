// The safetensors reader against hardening.md 3.1: every line is refused or accepted, and says why.

#include <QTemporaryDir>
#include <QtTest>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "core/io/safetensors/file.h"
#include "tests/support/allocation_meter.h"
#include "tests/support/hostile_safetensors.h"
#include "tests/support/refusal.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;

namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

/// What refusals took at most.
class Costs {
public:
    void add(const std::string& what, double seconds, size_t bytes) {
        ++count_;
        bytes_ = std::max(bytes_, bytes);
        if (seconds > seconds_) {
            seconds_ = seconds;
            slowest_ = what;
        }
    }
    void print(const char* what) const {
        std::cout << "measured: " << count_ << " " << what << " refused, slowest " << 1000 * seconds_
                  << " ms (" << slowest_ << "), largest allocation " << static_cast<double>(bytes_) / 1048576
                  << " MiB\n";
    }

private:
    int count_ = 0;
    double seconds_ = 0;
    std::string slowest_;
    size_t bytes_ = 0;
};

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
    void cleanupTestCase();

private:
    fs::path folder() const { return dir_->path().toStdString(); }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(folder() / name, std::ios::binary) << bytes;
    }
    SafetensorsFile open(const std::string& name) const {
        return SafetensorsFile::open(ContainedFolder::open(folder()), name);
    }

    std::unique_ptr<QTemporaryDir> dir_;
    Costs small_;
    Costs bombs_;
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
    const size_t file_bytes = fs::file_size(folder() / "bad.safetensors");
    startMeter();
    const auto refusal = refusalOf([&] { open("bad.safetensors"); });
    const size_t peak = meteredPeak();
    QVERIFY2(refusal, "accepted");
    QVERIFY2(refusal->kind == one.kind, refusal->message.c_str());
    QVERIFY2(refusal->isOneLine(), refusal->message.c_str());
    QVERIFY2(refusal->says("bad.safetensors") && refusal->says(one.says), refusal->message.c_str());
    QVERIFY2(refusal->message.size() < 1000, refusal->message.c_str());
    // A header of up to 100 MB is read whole, and each of up to 1,000,000 tensors takes about 130 bytes.
    const bool is_bomb = one.rule == "S19";
    const double seconds_allowed = (is_bomb || one.rule == "S4" ? 1 : 0.05) * most_seconds;
    const size_t bytes_allowed =
        (is_bomb ? 4 * std::min<size_t>(file_bytes, most_header_bytes) : 0) + kMostBytes;
    QVERIFY2(refusal->seconds < seconds_allowed, std::to_string(refusal->seconds).c_str());
    QVERIFY2(peak < bytes_allowed, std::to_string(peak).c_str());
    (is_bomb ? bombs_ : small_).add(one.rule + " " + one.what, refusal->seconds, peak);
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

void TestSafetensors::cleanupTestCase() {
    small_.print("safetensors files");
    bombs_.print("safetensors files that are to keep the reader busy");
}

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
