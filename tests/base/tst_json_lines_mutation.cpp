// Mutated prompts files: each is read or refused as agreed, line by line, and what is read has the grammar of
// RFC 8259.

#include <QTest>
#include <cstdio>
#include <random>
#include <set>

#include "core/data/prompts.h"
#include "tests/support/json_grammar.h"
#include "tests/support/json_lines_outcome.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

class Mutator {
public:
    explicit Mutator(uint32_t seed) : random_(seed) {}

    size_t below(size_t limit) { return random_() % limit; }

    std::string file() {
        std::string content;
        const size_t rows = 1 + below(5);
        for (size_t i = 0; i < rows; ++i)
            content += row(i) + ends_[below(8)];
        for (size_t changes = below(5); changes > 0; --changes)
            change(content);
        return content;
    }

private:
    std::string row(size_t number) {
        const std::string id =
            below(2) == 0 ? std::to_string(below(4)) : "\"" + std::to_string(number) + "\"";
        switch (below(4)) {
            case 0:
                return "{\"prompt\":\"a\\u00e9\\ud83d\\ude00b\xC3\xA9\"}";
            case 1:
                return "{\"id\":" + id + ",\"prompt\":\"x\\ny\",\"n\":[-0.5e-3,true,null,{}]}";
            case 2:
                return "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"id\":" + id + "}";
            default:
                return "{ \"id\" : " + id + " , \"prompt\" : \"" + std::string(below(40), 'p') + "q\" }";
        }
    }

    void change(std::string& content) {
        const size_t at = below(content.size() + 1);
        const size_t length = std::min(content.size() - at, below(6));
        switch (below(5)) {
            case 0:
                content.insert(at, pieces_[below(std::size(pieces_))]);
                break;
            case 1:
                content.replace(at, length, pieces_[below(std::size(pieces_))]);
                break;
            case 2:
                content.erase(at, length);
                break;
            case 3:
                if (at < content.size())
                    content[at] = static_cast<char>(content[at] ^ (1 << below(8)));
                break;
            default:
                content.insert(below(content.size() + 1), content.substr(at, below(30)));
        }
    }

    std::mt19937 random_;
    const std::string ends_[8] = {"\n", "\n", "\n", "\r\n", "\n\n", " \n", "\r", ""};
    const std::string pieces_[24] = {"\"",
                                     "\\",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     ",",
                                     ":",
                                     "\\u",
                                     "\\ud800",
                                     "\\udc00",
                                     "1e999",
                                     "-0",
                                     "01",
                                     "null",
                                     "\0"s,
                                     "\xFF",
                                     "\xC3",
                                     "\xEF\xBB\xBF",
                                     "\r",
                                     "\n",
                                     "\"id\":1,",
                                     "\x1F",
                                     "9223372036854775808"};
};

struct Lines {
    std::vector<std::string> all;  ///< without line end
    size_t blank = 0;
};

Lines split(const std::string& content) {
    Lines lines;
    for (size_t from = 0; from < content.size();) {
        const size_t end = content.find('\n', from);
        std::string line = content.substr(from, end == std::string::npos ? end : end - from);
        if (end != std::string::npos && line.ends_with('\r'))
            line.pop_back();
        lines.blank += line.find_first_not_of(" \t") == std::string::npos;
        lines.all.push_back(std::move(line));
        from = end == std::string::npos ? content.size() : end + 1;
    }
    return lines;
}

int64_t lineNumber(const std::string& message, const std::string& path) {
    const std::string start = path + ": line ";
    return message.starts_with(start) ? std::stoll(message.substr(start.size())) - 1 : -1;
}

}  // namespace

class TestJsonLinesMutation : public QObject {
    Q_OBJECT

    int refused_rows_ = 0;
    int read_rows_ = 0;
    int other_kinds_ = 0;

    /// Every line is exactly one of: blank, read, refused under its number.
    void check(const std::string& content, const std::filesystem::path& path) {
        const Lines lines = split(content);
        const Outcome outcome = read(path);
        if (!outcome.message.empty())
            QCOMPARE(outcome.kind, ErrorKind::file_format);
        for (const char c : outcome.message)
            QVERIFY(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
        std::set<int64_t> refused;
        for (const std::string& message : outcome.details)
            refused.insert(lineNumber(message, path.native()));
        if (outcome.details.empty() && !outcome.message.empty())
            refused.insert(lineNumber(outcome.message, path.native()));
        if (refused.contains(-1)) {
            // Another kind of file, or no rows.
            QVERIFY(refused.size() == 1 && outcome.rows.empty());
            ++other_kinds_;
            return;
        }
        for (const auto& [line, dump] : outcome.rows) {
            QVERIFY(!refused.contains(line));
            QVERIFY(isJsonText(lines.all[static_cast<size_t>(line)]));
            ++read_rows_;
        }
        refused_rows_ += static_cast<int>(refused.size());
        QCOMPARE(outcome.rows.size() + refused.size() + lines.blank, lines.all.size());
    }

private Q_SLOTS:
    void mutatedFiles() {
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        Mutator mutator(20);
        constexpr int kFiles = 12'000;
        int prompts = 0;
        int refused_files = 0;
        for (int i = 0; i < kFiles; ++i) {
            const std::string content = mutator.file();
            const auto path = folder.put("a.jsonl", content);
            check(content, path);
            if (QTest::currentTestFailed()) {
                qWarning("file %d: %s", i, printable(content, 2000).c_str());
                return;
            }
            try {
                prompts += static_cast<int>(readPrompts(path).size());
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::file_format);
                ++refused_files;
            }
        }
        QVERIFY(refused_files > kFiles / 4 && refused_files < kFiles);
        std::printf(
            "measured: %d mutated files: %d rows read, %d refused, %d files of another kind; %d prompts out "
            "of %d files; slowest refusal %.1f ms\n",
            kFiles, read_rows_, refused_rows_, other_kinds_, prompts, kFiles - refused_files,
            slowest_refusal);
    }
};

QTEST_GUILESS_MAIN(TestJsonLinesMutation)
#include "tst_json_lines_mutation.moc"
