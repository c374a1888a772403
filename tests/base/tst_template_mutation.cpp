#include <QtTest>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "core/text/chat_template.h"
#include "tests/support/hostile_templates.h"
#include "tests/support/refusal.h"

using Json = nlohmann::ordered_json;

namespace {

constexpr int input_count = 8000;

const Json messages =
    Json::parse(R"([{"role": "system", "content": "S"}, {"role": "user", "content": "a é </think> b"},
    {"role": "assistant", "content": "<think>x</think>y", "tool_calls": [{"function": {"name": "f",
     "arguments": {"k": [1, 2.5, null, true]}}}]}, {"role": "tool", "content": "t"}])");
const Json variables = Json::parse(R"({"tools": [{"type": "function", "function": {"name": "f"}}], "n": 3})");

/// What a mutation puts in: pieces of the language, so that many mutants still parse.
const std::vector<std::string> pieces = {"{% if messages %}",
                                         "{% endif %}",
                                         "{% else %}",
                                         "{% for m in messages %}",
                                         "{% endfor %}",
                                         "{% set x = ",
                                         "{% set ns = namespace(a=1) %}",
                                         "{% set ns.a = ns %}",
                                         "{% macro f(a, b=2) %}",
                                         "{% endmacro %}",
                                         "{{ f(1) }}",
                                         "{{ loop.index0 }}",
                                         "{% raw %}",
                                         "{% endraw %}",
                                         "{#",
                                         "#}",
                                         "{{",
                                         "}}",
                                         "{%",
                                         "%}",
                                         "-%}",
                                         "{%-",
                                         " + ",
                                         " ~ ",
                                         " * 99999999",
                                         " ** 9",
                                         " // 0",
                                         " % 3",
                                         "[::-1]",
                                         "[1:",
                                         "(",
                                         ")",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "'",
                                         "\"",
                                         "\\",
                                         ",",
                                         ".items()",
                                         ".get('k')",
                                         ".split('a')",
                                         ".strip()",
                                         "|tojson(indent=2)",
                                         "|join(',')",
                                         "|length",
                                         "|list",
                                         "|trim",
                                         "|replace('a', 'bb')",
                                         "|upper",
                                         "|sort",
                                         "|map('upper')",
                                         "|selectattr('role')",
                                         "|default(1)",
                                         "|indent(999999)",
                                         " is defined",
                                         " is string",
                                         " not in ",
                                         " if n else ",
                                         "range(99999)",
                                         "messages",
                                         "tools",
                                         "n",
                                         "none",
                                         "1.5",
                                         "recursive",
                                         "{% break %}",
                                         "{% generation %}",
                                         "{% endgeneration %}",
                                         "\n",
                                         "\r\n",
                                         "é",
                                         std::string(1, '\0'),
                                         "\xff"};

class Mutator {
public:
    explicit Mutator(uint64_t seed) : random_(seed) {}

    std::string mutate(const std::string& seed, const std::string& other) {
        std::string text = seed;
        for (size_t i = 1 + below(3); i > 0; --i)
            change(text, other);
        return text;
    }
    size_t below(size_t end) { return end == 0 ? 0 : random_() % end; }

private:
    void change(std::string& text, const std::string& other) {
        const size_t at = below(text.size() + 1);
        const size_t length = below(std::min<size_t>(text.size() - at, 40) + 1);
        switch (below(7)) {
            case 0:
                text.insert(at, pieces[below(pieces.size())]);
                break;
            case 1:
                text.erase(at, length);
                break;
            case 2:
                text.replace(at, length, pieces[below(pieces.size())]);
                break;
            case 3:  // a stretch again, up to many times
                text.insert(at, spd::test::repeated(text.substr(at, length), 1 + below(below(2) ? 300 : 3)));
                break;
            case 4: {
                const size_t from = below(other.size() + 1);
                text.insert(at, other.substr(from, below(200)));
                break;
            }
            case 5:
                if (at < text.size())
                    text[at] = static_cast<char>(below(256));
                break;
            default:
                text.resize(at);
                break;
        }
    }

    std::mt19937_64 random_;
};

std::vector<std::string> seeds() {
    std::vector<std::string> out;
    const std::filesystem::path folder = std::string(SPD_SOURCE_DIR) + "/tests/fixtures/chat_templates";
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".jinja") {
            std::ifstream file(entry.path(), std::ios::binary);
            out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        }
    for (const auto& hostile : spd::test::hostileTemplates())
        if (hostile.source.size() < 2000)
            out.push_back(hostile.source);
    std::sort(out.begin(), out.end());  // directories have no order
    return out;
}

}  // namespace

class TemplateMutationTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyMutantIsRenderedOrRefused();
};

void TemplateMutationTest::everyMutantIsRenderedOrRefused() {
    const auto originals = seeds();
    Mutator mutator(20240726);
    int rendered = 0;
    double slowest = 0;
    for (int i = 0; i < input_count; ++i) {
        const std::string source = mutator.mutate(originals[mutator.below(originals.size())],
                                                  originals[mutator.below(originals.size())]);
        const double start = spd::test::processorSeconds();
        const auto refusal = spd::test::refusalOf([&] {
            const auto chat = spd::ChatTemplate::parse(source, "mutant", "<s>", "</s>");
            const auto result = chat.renderTracked(messages, variables, true);
            size_t end = 0;
            for (const spd::TextRange& range : result.content) {
                QVERIFY(range.begin >= end && range.begin < range.end && range.end <= result.text.size());
                end = range.end;
            }
            QVERIFY(result.text.size() <= size_t{8} << 20);
        });
        const double seconds = spd::test::processorSeconds() - start;
        slowest = std::max(slowest, seconds);
        rendered += !refusal;
        const bool is_clear =
            !refusal || (refusal->kind == spd::ErrorKind::file_format && refusal->isOneLine());
        QVERIFY2(is_clear, (std::to_string(i) + ": " + (refusal ? refusal->message : "")).c_str());
        QVERIFY2(seconds < spd::test::most_seconds, (std::to_string(i) + ": " + source).c_str());
    }
    std::printf("measured: %d mutated templates, %d rendered, %d refused, the slowest in %.0f ms\n",
                input_count, rendered, input_count - rendered, slowest * 1e3);
    QVERIFY(rendered >
            input_count / 20);  // mutants that all fail to parse would test nothing behind the parser
}

QTEST_GUILESS_MAIN(TemplateMutationTest)
#include "tst_template_mutation.moc"
