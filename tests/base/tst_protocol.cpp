// Lines cut out of a stream in any pieces; messages there and back; params refused by name.

#include <QTest>
#include <random>

#include "core/protocol/job.h"
#include "core/protocol/line_splitter.h"
#include "core/protocol/message.h"
#include "core/protocol/params.h"

using namespace spd;
using namespace spd::protocol;
using nlohmann::ordered_json;

namespace {

std::string refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Refusal& refused) {
        return refused.failure().kind + ": " + refused.failure().message;
    }
    return "";
}

}  // namespace

class TestProtocol : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void linesComeWholeFromAnyPieces() {
        std::mt19937 random(7);
        std::string stream;
        std::vector<std::string> expected;
        for (int i = 0; i < 2000; ++i) {
            expected.push_back(std::string(random() % 90, static_cast<char>('a' + i % 26)));
            stream += expected.back() + '\n';
        }
        LineSplitter lines(64);
        std::vector<LineSplitter::Line> found;
        for (size_t at = 0; at < stream.size();) {
            const size_t size = 1 + random() % 200;
            lines.append(std::string_view(stream).substr(at, size));
            at += size;
            while (auto line = lines.next())
                found.push_back(*line);
        }
        QCOMPARE(found.size(), expected.size());
        int dropped = 0;
        for (size_t i = 0; i < found.size(); ++i) {
            QCOMPARE(found[i].too_long, expected[i].size() > 64);
            QCOMPARE(found[i].text, found[i].too_long ? std::string() : expected[i]);
            dropped += found[i].too_long;
        }
        QVERIFY(dropped > 100 && dropped < 1900);
    }

    void aLineWithoutEndTakesNoMemory() {
        LineSplitter lines(1000);
        const std::string piece(65536, 'x');
        for (int i = 0; i < 1600; ++i) {  // 100 MB
            lines.append(piece);
            QVERIFY(!lines.next());
            QVERIFY(lines.pending() <= 1000);
        }
        lines.append("\nnext\n");
        QVERIFY(lines.next()->too_long);
        QCOMPARE(lines.next()->text, std::string("next"));
    }

    void messagesComeBack() {
        const ordered_json params = {{"text", "caf\u00e9\n\"x\""}, {"n", 3}};
        std::string line = toLine(Request{7, "models.list", params});
        QCOMPARE(line.find('\n'), line.size() - 1);
        line.pop_back();
        const auto request = std::get<Request>(parseMessage(line, 1000));
        QVERIFY(request.id == 7 && request.method == "models.list" && request.params == params);
        line = toLine(Response{
            "a", Failure{.code = -32001, .message = "gone", .kind = "not_found", .data = {"one", "two"}}});
        const auto response = std::get<Response>(parseMessage(line.substr(0, line.size() - 1), 1000));
        const auto failure = std::get<Failure>(response.outcome);
        QVERIFY(response.id == "a" && failure.code == -32001 && failure.kind == "not_found");
        QVERIFY(failure.data == ordered_json({"one", "two"}));
        line = toLine(Notification{"log", {{"lines", {"a"}}}});
        QCOMPARE(std::get<Notification>(parseMessage(line, 1000)).method, std::string("log"));
    }

    void whatIsNoMessageIsRefused_data() {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("kind");
        const auto add = [](const char* line, const char* kind) { QTest::newRow(line) << line << kind; };
        add("", "parse_error");
        add("{", "parse_error");
        add("\xff", "parse_error");
        add(R"({"jsonrpc":"2.0","id":1,"id":2,"method":"x"})", "parse_error");
        add(R"({"jsonrpc":"2.0","id":1,"method":"x"} 1)", "parse_error");
        add("[]", "invalid_request");
        add("1", "invalid_request");
        add(R"([{"jsonrpc":"2.0","id":1,"method":"x"}])", "invalid_request");
        add(R"({"id":1,"method":"x"})", "invalid_request");
        add(R"({"jsonrpc":"1.0","id":1,"method":"x"})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1.5,"method":"x"})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":[1],"method":"x"})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":null,"method":"x"})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1,"method":5})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1,"method":"x","params":[1]})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1})", "invalid_request");
        add(R"({"jsonrpc":"2.0","result":1})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1,"error":{"code":"a","message":""}})", "invalid_request");
        add(R"({"jsonrpc":"2.0","id":1,"error":7})", "invalid_request");
    }
    void whatIsNoMessageIsRefused() {
        QFETCH(QString, line);
        QFETCH(QString, kind);
        const std::string said = refusal([&] { parseMessage(line.toStdString(), 1000); });
        QVERIFY2(said.starts_with(kind.toStdString() + ": "), said.c_str());
        QVERIFY(said.find('\n') == std::string::npos);
    }

    void paramsAreRefusedByName() {
        const ordered_json json = {{"n", 3},    {"t", "x"},      {"x", 1.5},
                                   {"f", true}, {"l", {"a", 1}}, {"z", nullptr}};
        Params params(json);
        QCOMPARE(params.integer("n"), int64_t{3});
        QCOMPARE(params.number("n", 0), 3.0);
        QCOMPARE(params.text("t"), std::string("x"));
        QCOMPARE(params.integer("absent", 9), int64_t{9});
        QVERIFY(!params.optionalNumber("z"));
        QCOMPARE(refusal([&] { params.integer("x"); }), std::string("invalid_params: x: must be an integer"));
        QCOMPARE(refusal([&] { params.text("n"); }), std::string("invalid_params: n: must be a text"));
        QCOMPARE(refusal([&] { params.text("z"); }), std::string("invalid_params: z: is missing"));
        QCOMPARE(refusal([&] { params.flag("t", false); }),
                 std::string("invalid_params: t: must be true or false"));
        QCOMPARE(refusal([&] { params.texts("l"); }), std::string("invalid_params: l: must be a text"));
        QCOMPARE(refusal([&] { params.object("l"); }), std::string("invalid_params: l: must be an object"));
        const ordered_json more = {{"n", 1}, {"other\n", 2}};
        Params asked(more);
        asked.integer("n");
        QCOMPARE(refusal([&] { asked.refuseOthers(); }),
                 std::string("invalid_params: other\\x0a: no such parameter"));
        const ordered_json large = {{"n", uint64_t{1} << 63}};
        QVERIFY(!refusal([&] { Params(large).integer("n"); }).empty());
    }

    void jobsComeBack() {
        Job job;
        job.id = "job-000003";
        job.kind = "train";
        job.params = {{"epochs", 5}};
        job.state = JobState::failed;
        job.resumable = true;
        job.queued = 1'700'000'000'000;
        job.failure = JobFailure{"io", "disk full", {"a", "b"}};
        job.position = 2;
        const Job back = Job::fromJson(job.toJson());
        QVERIFY(back.toJson() == job.toJson());
        QVERIFY(back.failure->details.size() == 2 && back.position == 2 && back.ended == 0);
        ordered_json other = job.toJson();
        other["state"] = "dreaming";
        QCOMPARE(refusal([&] { Job::fromJson(other); }), std::string("invalid_params: state: no such state"));
        const JobProgress progress{{"generate", 3, 10, 41.5, "x"}, 1.5, 4.7};
        QVERIFY(JobProgress::fromJson(progress.toJson()).toJson() == progress.toJson());
    }
};

QTEST_APPLESS_MAIN(TestProtocol)
#include "tst_protocol.moc"
