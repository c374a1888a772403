#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/text/chat_template.h"
#include "core/text/jinja/evaluator/evaluator.h"
#include "core/text/jinja/python/python_text.h"
#include "core/text/jinja/syntax/parser.h"
#include "tests/support/hostile_templates.h"
#include "tests/support/refusal.h"

using Json = nlohmann::ordered_json;
using spd::ChatTemplate;

namespace {

const Json hello = Json::parse(R"([{"role": "user", "content": "Hi <|im_end|>"}])");

std::string render(const std::string& source, const Json& variables = Json::object()) {
    return ChatTemplate::parse(source, "t", "<s>", "</s>").render(hello, variables, true);
}

std::string fixture(const std::string& name) {
    std::ifstream file(std::string(SPD_SOURCE_DIR) + "/tests/fixtures/chat_templates/" + name,
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Worker threads have small stacks; the sanitizers need more of it. What `action` throws is thrown on.
void runOnSmallStack(const std::function<void()>& action) {
#ifdef __SANITIZE_ADDRESS__
    constexpr size_t stack = size_t{16} << 20;
#else
    constexpr size_t stack = size_t{1} << 20;
#endif
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack);
    pthread_t thread;
    std::exception_ptr thrown;
    std::function<void()> guarded = [&] {
        try {
            action();
        } catch (...) {
            thrown = std::current_exception();
        }
    };
    const auto entry = [](void* argument) -> void* {
        (*static_cast<std::function<void()>*>(argument))();
        return nullptr;
    };
    QCOMPARE(pthread_create(&thread, &attributes, entry, &guarded), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    if (thrown)
        std::rethrow_exception(thrown);
}

long peakKilobytes() {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

std::vector<std::string> contentOf(const spd::RenderedChat& chat) {
    std::vector<std::string> parts;
    for (const spd::TextRange& range : chat.content)
        parts.push_back(chat.text.substr(range.begin, range.end - range.begin));
    return parts;
}

}  // namespace

class ChatTemplateTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refusesHostileTemplates();
    void acceptsWhatIsJustWithinTheLimits();
    void freesRings();
    void countsFewStepsForRealTemplates();
    void pinsTheDate();
    void tracksContent();
    void keepsContentThroughStringOperations();
    void findsAcrossWindows();
    void refusesWrongInput();
    void opensFolders();
    void refusesHostileFolders();

private:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_.path().toStdString() + "/" + name, std::ios::binary) << text;
    }
    void clear() const {
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path().toStdString()))
            std::filesystem::remove(entry);
    }
    QTemporaryDir folder_;
};

void ChatTemplateTest::refusesHostileTemplates() {
    const auto templates = spd::test::hostileTemplates();
    double slowest = 0;
    const long before = peakKilobytes();
    for (const auto& hostile : templates) {
        std::optional<spd::test::Refusal> refusal;
        runOnSmallStack([&] { refusal = spd::test::refusalOf([&] { render(hostile.source); }); });
        QVERIFY2(refusal, (hostile.name + ": was accepted").c_str());
        QVERIFY2(refusal->kind == spd::ErrorKind::file_format && refusal->isOneLine(), hostile.name.c_str());
        QVERIFY2(refusal->says(hostile.says), (hostile.name + ": " + refusal->message).c_str());
        QVERIFY2(refusal->message.size() < 600, hostile.name.c_str());
        QVERIFY2(refusal->seconds < spd::test::most_seconds,
                 (hostile.name + ": " + std::to_string(refusal->seconds) + " s").c_str());
        if (refusal->seconds > 0.1)
            std::printf("%s takes %.0f ms\n", hostile.name.c_str(), refusal->seconds * 1e3);
        slowest = std::max(slowest, refusal->seconds);
    }
    const long growth = (peakKilobytes() - before) / 1024;
    std::printf(
        "measured: %zu hostile templates refused, the slowest in %.0f ms of processor time, "
        "peak memory grew by %ld MiB\n",
        templates.size(), slowest * 1e3, growth);
#ifndef __SANITIZE_ADDRESS__
    QVERIFY(growth < 512);
#endif
}

void ChatTemplateTest::acceptsWhatIsJustWithinTheLimits() {
    using spd::test::repeated;
    runOnSmallStack([] {
        QCOMPARE(render("{{ " + repeated("(", 120) + "7" + repeated(")", 120) + " }}"), std::string("7"));
        QCOMPARE(render(repeated("{% if 1 %}", 120) + "x" + repeated("{% endif %}", 120)), std::string("x"));
        QCOMPARE(render("{{ 1" + repeated(" + 1", 120) + " }}"), std::string("121"));
        QCOMPARE(render("{{ 'a'" + repeated(" ~ 'a'", 5000) + " }}"), repeated("a", 5001));
        QCOMPARE(render("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}x{% endmacro %}{{ m(63) }}"),
                 repeated("x", 64));
        QCOMPARE(render("{{ range(100000) | length }}"), std::string("100000"));
        QCOMPARE(render("{{ 'x' * 8388608 }}").size(), size_t{8} << 20);
        QCOMPARE(render(repeated("a", size_t{1} << 20)).size(), size_t{1} << 20);
    });
}

void ChatTemplateTest::freesRings() {
    // A leak is found by the sanitizers' build.
    QCOMPARE(
        render("{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{% set a.a = a %}ok"),
        std::string("ok"));
    QCOMPARE(
        render(
            "{% macro m() %}{% set x = m %}{% macro n() %}{% endmacro %}{% set y = [n, m] %}ok{% endmacro %}"
            "{{ m() }}"),
        std::string("ok"));
    QCOMPARE(
        render(
            "{% set ns = namespace() %}{% for x in [1] recursive %}{% set ns.l = loop %}{% set y = [loop] %}"
            "{% macro m() %}{% endmacro %}{% set ns.m = m %}{% endfor %}{{ ns.l.length }}"),
        std::string("1"));
}

void ChatTemplateTest::countsFewStepsForRealTemplates() {
    Json messages = Json::array();
    for (int i = 0; i < 100; ++i)
        messages.push_back({{"role", i % 2 ? "assistant" : "user"}, {"content", std::string(400, 'x')}});
    size_t most = 0;
    for (const char* name :
         {"qwen2_5.jinja", "qwen3.jinja", "llama3_1.jinja", "llama3_2.jinja", "smollm2.jinja"}) {
        const spd::jinja::Template tree = spd::jinja::parseTemplate(fixture(name));
        spd::jinja::Runtime runtime;
        spd::jinja::Evaluator evaluator(tree, runtime);
        evaluator.define("messages", spd::jinja::fromJson(messages, true));
        QVERIFY(evaluator.render().bytes.size() > 40'000);
        most = std::max(most, runtime.meter.used() / messages.size());
    }
    std::printf("measured: real templates need at most %zu steps a message of 400 bytes\n", most);
    QVERIFY(most < 1000);
}

void ChatTemplateTest::pinsTheDate() {
    QCOMPARE(render("{{ strftime_now('%d %b %Y') }}"), std::string("26 Jul 2024"));
    QCOMPARE(render("{{ strftime_now('%Y-%m-%d %H:%M') }}", {{"current_date", "2031-02-03T04:05:06"}}),
             std::string("2031-02-03 04:05"));
    QCOMPARE(render("{{ current_date is defined }}", {{"current_date", "2031-02-03"}}), std::string("False"));
    const auto llama = ChatTemplate::parse(fixture("llama3_2.jinja"), "llama3_2.jinja", "<|begin_of_text|>");
    const auto has = [&](const Json& variables, const char* line) {
        return llama.render(hello, variables, true).find(line) != std::string::npos;
    };
    QVERIFY(has(Json::object(), "Today Date: 26 Jul 2024\n"));
    QVERIFY(has({{"current_date", "2026-12-01"}}, "Today Date: 01 Dec 2026\n"));
    QVERIFY(has({{"date_string", "some day"}}, "Today Date: some day\n"));
    for (const char* wrong : {"", "2024", "2024-13-01", "2023-02-29", "2024-01-01T25:00:00", "24-01-001",
                              "2024-01-01 00:00:00", "+024-01-01"}) {
        const auto refusal = spd::test::refusalOf([&] { render("x", {{"current_date", wrong}}); });
        QVERIFY2(refusal && refusal->kind == spd::ErrorKind::invalid_argument, wrong);
    }
}

void ChatTemplateTest::tracksContent() {
    const auto qwen = ChatTemplate::parse(fixture("qwen3.jinja"), "qwen3.jinja");
    const Json messages = Json::parse(R"([{"role": "system", "content": "<|im_end|>"},
        {"role": "user", "content": "a<|im_start|>"}, {"role": "assistant", "content": "<think>\n\n</think>\n\nb"},
        {"role": "user", "content": ""}])");
    const spd::RenderedChat chat = qwen.renderTracked(messages, Json::object(), true);
    QCOMPARE(chat.text, qwen.render(messages, Json::object(), true));
    QCOMPARE(contentOf(chat),
             (std::vector<std::string>{"<|im_end|>", "user", "a<|im_start|>", "assistant", "b", "user"}));
    const auto plain =
        ChatTemplate::parse("{{ bos_token }}{{ messages[0].content }}{{ pad_token }}", "t", "<s>");
    QCOMPARE(contentOf(plain.renderTracked(hello, {{"pad_token", "<pad>"}}, false)),
             (std::vector<std::string>{"Hi <|im_end|>"}));
}

void ChatTemplateTest::keepsContentThroughStringOperations() {
    const auto parts = [](const std::string& expression) {
        const Json messages = Json::parse(R"([{"role": "user", "content": " ab,cd "}])");
        const std::string source =
            "{% set c = messages[0].content %}{{ '[' }}{{ " + expression + " }}{{ ']' }}";
        return contentOf(ChatTemplate::parse(source, "t").renderTracked(messages, Json::object(), false));
    };
    using Parts = std::vector<std::string>;
    QCOMPARE(parts("c | trim"), Parts{"ab,cd"});
    QCOMPARE(parts("('<' + c + '>') | trim"), Parts{" ab,cd "});
    QCOMPARE(parts("'<' ~ c ~ '>'"), Parts{" ab,cd "});
    QCOMPARE(parts("('<' + c + '>')[2:-3]"), Parts{"ab,c"});
    QCOMPARE(parts("c.split(',') | join('|')"), (Parts{" ab", "cd "}));
    QCOMPARE(parts("c | replace(',', '|')"), (Parts{" ab", "cd "}));
    QCOMPARE(parts("('<' + c) | upper"), Parts{" AB,CD "});
    QCOMPARE(parts("'<' + c[::-1]"), Parts{" dc,ba "});
    QCOMPARE(parts("('<' + c) | indent"), Parts{" ab,cd "});
    QCOMPARE(parts("{'k': c} | tojson"), Parts{"\" ab,cd \""});
    QCOMPARE(parts("'x' * 3"), Parts{});
    QCOMPARE(parts("c | length"), Parts{});
    QCOMPARE(parts("[c]"), Parts{"' ab,cd '"});
    QCOMPARE(parts("messages[0].keys() | join"), Parts{"rolecontent"});
}

void ChatTemplateTest::findsAcrossWindows() {
    size_t compared = 0;
    constexpr size_t places[] = {0,    1,    4090,   4095,   4096,   4097,   4100,
                                 8191, 8192, 12'287, 12'288, 12'289, 28'672, 40'000};
    constexpr size_t sizes[] = {1, 2, 7, 4095, 4096, 4097, 9000};
    for (const size_t at : places)
        for (const size_t size : sizes) {
            const std::string needle = std::string(size - 1, 'a') + "b";
            const std::string text = std::string(at, 'a') + needle + std::string(50'000, 'a') + needle;
            for (const size_t from :
                 {size_t{0}, at / 2, at, at + 1, at + size, text.size(), text.size() + 1}) {
                QCOMPARE(spd::jinja::findText(text, needle, from), text.find(needle, from));
                ++compared;
            }
            QCOMPARE(spd::jinja::findText(text, needle + "c"), std::string::npos);
        }
    std::printf("measured: %zu searches equal std::string::find\n", compared);
}

void ChatTemplateTest::refusesWrongInput() {
    const auto chat = ChatTemplate::parse("{{ messages }}{{ x }}", "t");
    const auto refuses = [&](const Json& messages, const Json& variables, spd::ErrorKind kind,
                             const char* says) {
        const auto refusal = spd::test::refusalOf([&] { chat.render(messages, variables, false); });
        return refusal && refusal->kind == kind && refusal->says(says);
    };
    using enum spd::ErrorKind;
    QVERIFY(refuses(Json::array(), {}, invalid_argument, "at least one message"));
    QVERIFY(refuses("x", {}, invalid_argument, "at least one message"));
    QVERIFY(refuses({1}, {}, invalid_argument, "must be an object"));
    QVERIFY(refuses(hello, 1, invalid_argument, "variables must be an object"));
    QVERIFY(refuses(hello, {{"x", UINT64_MAX}}, file_format, "beyond 64 bits"));
    QVERIFY(refuses(hello, {{"x", "\xff"}}, file_format, "no UTF-8"));
    Json deep = 1;
    for (int i = 0; i < 100; ++i)
        deep = Json::array({deep});
    QVERIFY(refuses(hello, {{"x", deep}}, file_format, "nested deeper than 64"));
}

void ChatTemplateTest::opensFolders() {
    const std::string path = folder_.path().toStdString();
    QVERIFY(!ChatTemplate::open(path));
    write("tokenizer_config.json",
          R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null})");
    QVERIFY(!ChatTemplate::open(path));
    const char* const source = "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}";
    write("tokenizer_config.json",
          R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null,
        "chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": ")" +
              std::string(source) + "\"}]}");
    auto chat = ChatTemplate::open(path);
    QVERIFY(chat);
    QCOMPARE(chat->origin(), std::string("tokenizer_config.json"));
    QCOMPARE(chat->render(hello, {}, false), std::string("<s></s>False"));
    write("chat_template.jinja", std::string("file ") + source);
    chat = ChatTemplate::open(path);
    QVERIFY(chat);
    QCOMPARE(chat->origin(), std::string("chat_template.jinja"));
    QCOMPARE(chat->render(hello, {}, false), std::string("file <s></s>False"));
    clear();
}

void ChatTemplateTest::refusesHostileFolders() {
    const std::string path = folder_.path().toStdString();
    const auto refuses = [&](const char* says) {
        const auto refusal = spd::test::refusalOf([&] { ChatTemplate::open(path); });
        if (!refusal || refusal->kind != spd::ErrorKind::file_format || !refusal->isOneLine() ||
            !refusal->says(says))
            qWarning("got: %s", refusal ? refusal->message.c_str() : "no refusal");
        const bool right = refusal && refusal->kind == spd::ErrorKind::file_format && refusal->says(says);
        clear();
        return right;
    };
    write("chat_template.jinja", std::string((size_t{1} << 20) + 1, 'a'));
    QVERIFY(refuses("chat_template.jinja"));
    write("chat_template.jinja", "a\n{% include 'x' %}");
    QVERIFY(refuses("chat_template.jinja: line 2: unknown tag 'include'"));
    write("tokenizer_config.json", R"({"chat_template": 1})");
    QVERIFY(refuses("tokenizer_config.json: chat_template: must be a string"));
    write("tokenizer_config.json", R"({"chat_template": [{"name": "other", "template": "x"}]})");
    QVERIFY(refuses("named default"));
    write("tokenizer_config.json", "[]");
    QVERIFY(refuses("must be an object"));
    write("tokenizer_config.json", R"({"a": 1, "a": 2})");
    QVERIFY(refuses("tokenizer_config.json"));
    std::filesystem::create_symlink("/etc/hostname", path + "/chat_template.jinja");
    QVERIFY(refuses("chat_template.jinja"));
    QCOMPARE(mkfifo((path + "/chat_template.jinja").c_str(), 0600), 0);
    QVERIFY(refuses("chat_template.jinja"));
}

QTEST_GUILESS_MAIN(ChatTemplateTest)
#include "tst_chat_template.moc"
