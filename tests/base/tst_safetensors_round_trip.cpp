// Random valid files, and random damage, against a second reader that shares nothing with ours; the writer
// too.

#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>

#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"
#include "tests/support/hostile_safetensors.h"
#include "tests/support/planned_model.h"
#include "tests/support/refusal.h"
#include "tests/support/second_safetensors_reader.h"

namespace fs = std::filesystem;
using namespace spd;
using namespace spd::test;
using Json = nlohmann::ordered_json;
using Tensors = std::map<std::string, ReadTensor>;

namespace {

constexpr int files = 2000;

constexpr ElementType all_types[] = {
    ElementType::f64,     ElementType::f32, ElementType::f16, ElementType::bf16, ElementType::f8_e5m2,
    ElementType::f8_e4m3, ElementType::i64, ElementType::u64, ElementType::i32,  ElementType::u32,
    ElementType::i16,     ElementType::u16, ElementType::i8,  ElementType::u8,   ElementType::boolean};

class Random {
public:
    explicit Random(uint32_t seed) : engine_(seed) {}
    /// Uniform enough in [0, limit).
    size_t below(size_t limit) { return engine_() % limit; }

private:
    std::mt19937 engine_;
};

std::string randomName(Random& random) {
    static const std::vector<std::string> parts = {"model", "layers", "0",  "10", "2", "weight", "é",
                                                   "日本",  "\"",     "\\", " ",  "/", "😀"};
    std::string name;
    for (size_t i = 0; i <= random.below(5); ++i)
        name += parts[random.below(parts.size())] + ".";
    return name + std::to_string(random.below(1000));
}

Tensors randomTensors(Random& random) {
    Tensors tensors;
    for (size_t i = random.below(12); i > 0; --i) {
        ReadTensor tensor;
        const ElementType type = all_types[random.below(std::size(all_types))];
        tensor.dtype = name(type);
        size_t bytes = static_cast<size_t>(bytesPerElement(type));
        for (size_t d = random.below(5); d > 0; --d) {
            tensor.shape.push_back(static_cast<int64_t>(random.below(10) == 0 ? 0 : 1 + random.below(6)));
            bytes *= static_cast<size_t>(tensor.shape.back());
        }
        for (size_t b = 0; b < bytes; ++b)
            tensor.bytes += static_cast<char>(random.below(256));
        tensors.emplace(randomName(random), tensor);
    }
    return tensors;
}

/// Header entries in one random order, data in another.
std::pair<Json, std::string> randomLayout(const Tensors& tensors, Random& random) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors)
        names.push_back(name);
    const auto shuffle = [&] {
        for (size_t i = names.size(); i > 1; --i)
            std::swap(names[i - 1], names[random.below(i)]);
    };
    std::string data;
    std::map<std::string, std::pair<size_t, size_t>> ranges;
    shuffle();
    for (const std::string& name : names) {
        ranges[name] = {data.size(), data.size() + tensors.at(name).bytes.size()};
        data += tensors.at(name).bytes;
    }
    Json header = Json::object();
    if (random.below(3) == 0)
        header["__metadata__"] = {{"format", "pt"}, {"é", "\n"}};
    shuffle();
    for (const std::string& name : names)
        header[name] = {{"data_offsets", {ranges[name].first, ranges[name].second}},
                        {"dtype", tensors.at(name).dtype},
                        {"shape", tensors.at(name).shape}};
    return {header, data};
}

Tensors contentOf(const SafetensorsFile& file) {
    Tensors tensors;
    for (const TensorEntry& entry : file.header().tensors) {
        std::string bytes(entry.bytes(), '\0');
        file.read(entry, 0, bytes.size(), bytes.data());
        tensors.emplace(entry.name, ReadTensor{std::string(name(entry.type)), entry.shape, bytes});
    }
    return tensors;
}

ElementType typeNamed(const std::string& text) {
    return *std::find_if(std::begin(all_types), std::end(all_types),
                         [&](ElementType type) { return name(type) == text; });
}

/// One number of the header changed a little: still plausible, mostly wrong.
void damage(Json& header, Random& random) {
    if (header.empty())
        return;
    auto entry = header.begin();
    std::advance(entry, random.below(header.size()));
    if (entry.key() == "__metadata__")
        return;
    Json& list = random.below(2) == 0 ? (*entry)["data_offsets"] : (*entry)["shape"];
    if (list.empty())
        return;
    Json& number = list[random.below(list.size())];
    number = std::max<int64_t>(0, number.get<int64_t>() + static_cast<int64_t>(random.below(5)) - 2);
}

}  // namespace

class TestSafetensorsRoundTrip : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWhatASecondReaderReads();
    void judgesDamageAsASecondReaderDoes();
    void writesWhatASecondReaderReads();
    void writesInPiecesAndOrder();
    void leavesNothingWithoutCommit();

private:
    fs::path path() const { return (dir_.path() + "/f.safetensors").toStdString(); }
    SafetensorsFile open() const {
        return SafetensorsFile::open(ContainedFolder::open(dir_.path().toStdString()), "f.safetensors");
    }
    QTemporaryDir dir_;
};

void TestSafetensorsRoundTrip::readsWhatASecondReaderReads() {
    Random random(1);
    for (int i = 0; i < files; ++i) {
        const Tensors tensors = randomTensors(random);
        const auto [header, data] = randomLayout(tensors, random);
        const std::string bytes = safetensorsFile(header.dump(), data);
        QVERIFY(readSafetensorsSlowly(bytes) == tensors);
        writeFile(path(), bytes);
        const auto refusal = refusalOf([&] { QVERIFY(contentOf(open()) == tensors); });
        QVERIFY2(!refusal, refusal ? refusal->message.c_str() : "");
    }
    std::cout << "measured: " << files << " random valid files read equal by both readers\n";
}

void TestSafetensorsRoundTrip::judgesDamageAsASecondReaderDoes() {
    Random random(2);
    int accepted = 0;
    for (int i = 0; i < files; ++i) {
        auto [header, data] = randomLayout(randomTensors(random), random);
        damage(header, random);
        const std::string bytes = safetensorsFile(header.dump(), data);
        writeFile(path(), bytes);
        const bool ours = !refusalOf([&] { open(); });
        QVERIFY2(ours == readSafetensorsSlowly(bytes).has_value(), header.dump().c_str());
        accepted += ours ? 1 : 0;
    }
    std::cout << "measured: " << files << " damaged headers judged alike by both readers, " << accepted
              << " accepted\n";
    QVERIFY(accepted > 0 && accepted < files);
}

void TestSafetensorsRoundTrip::writesWhatASecondReaderReads() {
    Random random(3);
    for (int i = 0; i < files / 10; ++i) {
        const Tensors tensors = randomTensors(random);
        std::vector<TensorInfo> infos;
        for (const auto& [name, tensor] : tensors)
            infos.push_back({name, typeNamed(tensor.dtype), tensor.shape});
        SafetensorsWriter writer(path(), infos, {{"format", "pt"}});
        for (const TensorInfo& info : writer.order())
            writer.append(tensors.at(info.name).bytes.data(), tensors.at(info.name).bytes.size());
        writer.commit();
        QVERIFY(contentOf(open()) == tensors);
        QCOMPARE(open().header().metadata.at("format"), std::string("pt"));
        QCOMPARE(open().header().data_begin % 8, uint64_t{0});
    }
}

void TestSafetensorsRoundTrip::writesInPiecesAndOrder() {
    SafetensorsWriter writer(path(), {{"logits.10", ElementType::f32, {1}},
                                      {"logits.2", ElementType::f32, {2}},
                                      {"a", ElementType::f64, {1}},
                                      {"b", ElementType::u8, {3}}});
    std::string order;
    for (const TensorInfo& info : writer.order())
        order += info.name + " ";
    QCOMPARE(order, std::string("a logits.2 logits.10 b "));
    const std::string bytes = "12345678abcdefghijkl+++";
    for (const char byte : bytes)
        writer.append(&byte, 1);
    QVERIFY(refusalOf([&] { writer.append("x", 1); })->kind == ErrorKind::internal);
    writer.commit();
    QCOMPARE(contentOf(open()).at("logits.10").bytes, std::string("ijkl"));
}

void TestSafetensorsRoundTrip::leavesNothingWithoutCommit() {
    const fs::path folder = dir_.path().toStdString();
    writeFile(path(), "old");
    {
        SafetensorsWriter writer(path(), {{"a", ElementType::u8, {4}}});
        writer.append("12", 2);
        QVERIFY(refusalOf([&] { writer.commit(); })->kind == ErrorKind::internal);
    }
    QCOMPARE(fs::file_size(path()), uintmax_t{3});
    QCOMPARE(std::distance(fs::directory_iterator(folder), {}), std::ptrdiff_t{1});
    const auto make = [&](std::vector<TensorInfo> tensors) {
        return refusalOf([&] { SafetensorsWriter writer(path(), std::move(tensors)); });
    };
    QVERIFY(make({{"a", ElementType::u8, {4}}, {"a", ElementType::u8, {4}}})->kind == ErrorKind::internal);
    QVERIFY(make({{"", ElementType::u8, {4}}})->kind == ErrorKind::internal);
    QVERIFY(make({{"a", ElementType::f64, {INT64_MAX, 2}}})->kind == ErrorKind::internal);
    QVERIFY(make({{"a", ElementType::f64, {-1}}})->kind == ErrorKind::internal);
    QVERIFY(refusalOf([&] { SafetensorsWriter writer(folder / "none/f", {}); })->kind ==
            ErrorKind::not_found);
    QCOMPARE(std::distance(fs::directory_iterator(folder), {}), std::ptrdiff_t{1});
}

QTEST_GUILESS_MAIN(TestSafetensorsRoundTrip)
#include "tst_safetensors_round_trip.moc"
