#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>

#include "app/workbench/engine_client.h"

using spd::EngineClient;
using spd::EngineState;
using Json = nlohmann::ordered_json;

namespace {

constexpr int kPatience = 30'000;  // of a test on a loaded machine; what is measured says so itself

/// Quick enough for tests, slow enough for a loaded machine.
spd::EngineTiming quick() {
    spd::EngineTiming timing;
    timing.ping_idle = 100;
    timing.ping_busy = 100;
    timing.silent = 100;
    timing.give_up = 3000;
    timing.hello = 20'000;
    timing.backoff = 20;
    timing.max_backoff = 100;
    timing.tries = 3;
    return timing;
}

/// What one request came to.
struct Asked {
    Json result;
    std::optional<spd::protocol::Failure> failure;
    int answers = 0;
};

qint64 ask(EngineClient& client, const char* method, const Json& params, QObject* context, Asked& asked) {
    return client.request(
        QString::fromLatin1(method), params, context,
        [&asked](const Json& result) {
            asked.result = result;
            ++asked.answers;
        },
        [&asked](const spd::protocol::Failure& failure) {
            asked.failure = failure;
            ++asked.answers;
        });
}

}  // namespace

class tst_EngineClient : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { folder_ = std::make_unique<QTemporaryDir>(); }
    void answers_data();
    void answers();
    void reversed();
    void largeAnswerLeavesTheWindowAlone();
    void floodLeavesTheWindowAlone();
    void failures();
    void cancels();
    void deadContext();
    void beforeConnecting();
    void diesInMidAnswer();
    void closesItsOutput();
    void silence();
    void events();
    void resumes();
    void gap();
    void lostEvents();
    void versions_data();
    void versions();
    void hopeless_data();
    void hopeless();
    void triesAgainWithAnEnd();
    void leavesAChildThatIsStuck();

private:
    QStringList plan(const char* name) const {
        return {QStringLiteral(PYTHON), QStringLiteral(SPD_SOURCE_DIR "/tests/support/scripted_engine.py"),
                QString::fromLatin1(name), folder_->path()};
    }
    QString noted(const char* name) const {
        QFile file(folder_->filePath(QString::fromLatin1(name)));
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
    void connectReady(EngineClient& client, const char* name) {
        client.connectTo(plan(name));
        QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::ready, kPatience);
    }

    std::unique_ptr<QTemporaryDir> folder_;
};

void tst_EngineClient::answers_data() {
    QTest::addColumn<QByteArray>("name");
    for (const char* name : {"plain", "late", "cut", "huge", "garbage"})
        QTest::newRow(name) << QByteArray(name);
}

void tst_EngineClient::answers() {
    QFETCH(QByteArray, name);
    EngineClient client(quick());
    QSignalSpy odd(&client, &EngineClient::oddLine);
    connectReady(client, name.constData());
    QCOMPARE(client.engine().program, QStringLiteral("spd 9.9"));
    Asked asked;
    ask(client, "echo", {{"text", "ä\n"}}, this, asked);
    QTRY_COMPARE_WITH_TIMEOUT(asked.answers, 1, kPatience);
    QCOMPARE(asked.result.dump(), std::string(R"({"text":"ä\n"})"));
    QCOMPARE(odd.isEmpty(), name != "huge" && name != "garbage");
    QCOMPARE(client.state(), EngineState::ready);
}

void tst_EngineClient::reversed() {
    EngineClient client(quick());
    connectReady(client, "reversed");
    Asked first, second;
    ask(client, "echo", {{"n", 1}}, this, first);
    ask(client, "echo", {{"n", 2}}, this, second);
    QTRY_VERIFY_WITH_TIMEOUT(first.answers == 1 && second.answers == 1, kPatience);
    QCOMPARE(first.result["n"].get<int>(), 1);
    QCOMPARE(second.result["n"].get<int>(), 2);
}

/// The longest time between two turns of the event loop until `done`.
template <typename Done>
qint64 longestPause(Done done) {
    QElapsedTimer turn, all;
    all.start();
    qint64 longest = 0;
    while (!done() && all.elapsed() < kPatience) {
        turn.start();
        QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
        longest = std::max(longest, turn.elapsed());
    }
    return longest;
}

void tst_EngineClient::largeAnswerLeavesTheWindowAlone() {
    EngineClient client(quick());
    connectReady(client, "large");
    Asked asked;
    ask(client, "echo", Json::object(), this, asked);
    const qint64 longest = longestPause([&] { return asked.answers == 1; });
    QCOMPARE(asked.result["text"].get_ref<const std::string&>().size(), size_t{40'000'000});
    std::printf("measured: longest pause of the window for a 40 MB answer: %lld ms\n",
                static_cast<long long>(longest));
    QVERIFY(longest < 500);  // copying it into the test takes some
}

void tst_EngineClient::floodLeavesTheWindowAlone() {
    EngineClient client(quick());
    connectReady(client, "flood");
    qint64 lines = 0;
    connect(&client.events(), &spd::EngineEvents::logged, this,
            [&](const QString&, qint64, const QStringList& some) { lines += some.size(); });
    Asked asked;
    ask(client, "echo", Json::object(), this, asked);
    const qint64 longest = longestPause([&] { return asked.answers == 1; });
    QCOMPARE(lines, 50'000);
    std::printf("measured: longest pause of the window for 50000 events: %lld ms\n",
                static_cast<long long>(longest));
    QVERIFY(longest < 200);
}

void tst_EngineClient::failures() {
    EngineClient client(quick());
    connectReady(client, "plain");
    QSignalSpy unheard(&client, &EngineClient::requestFailed);
    Asked asked;
    ask(client, "refuse", Json::object(), this, asked);
    client.request(QStringLiteral("refuse"), Json::object(), this, {});
    QTRY_VERIFY_WITH_TIMEOUT(asked.answers == 1 && unheard.size() == 1, kPatience);
    QCOMPARE(asked.failure->code, -32001);
    QCOMPARE(asked.failure->kind, std::string("not_found"));
    QCOMPARE(asked.failure->data.dump(), std::string(R"(["d"])"));
}

void tst_EngineClient::cancels() {
    EngineClient client(quick());
    connectReady(client, "reversed");
    Asked asked;
    const qint64 id = ask(client, "echo", Json::object(), this, asked);
    client.cancel(id);
    QTRY_COMPARE_WITH_TIMEOUT(asked.answers, 1, kPatience);
    QCOMPARE(asked.failure->kind, std::string("cancelled"));
    client.cancel(id);  // too late: nothing is sent
    client.cancel(9999);
}

void tst_EngineClient::deadContext() {
    EngineClient client(quick());
    connectReady(client, "plain");
    auto context = std::make_unique<QObject>();
    Asked gone, alive;
    ask(client, "echo", Json::object(), context.get(), gone);
    ask(client, "echo", Json::object(), this, alive);
    context.reset();
    QTRY_COMPARE_WITH_TIMEOUT(alive.answers, 1, kPatience);
    QCOMPARE(gone.answers, 0);
}

void tst_EngineClient::beforeConnecting() {
    EngineClient client(quick());
    Asked asked;
    ask(client, "echo", Json::object(), this, asked);
    QCOMPARE(asked.answers, 0);  // never from within request()
    QTRY_COMPARE_WITH_TIMEOUT(asked.answers, 1, 30'000);
    QCOMPARE(asked.failure->kind, std::string("not_connected"));
}

void tst_EngineClient::diesInMidAnswer() {
    EngineClient client(quick());
    connectReady(client, "dies");
    QStringList lines;
    connect(&client, &EngineClient::stateChanged, this, [&] { lines << client.stateLine(); });
    Asked asked;
    QElapsedTimer timer;
    timer.start();
    ask(client, "echo", Json::object(), this, asked);
    QTRY_COMPARE_WITH_TIMEOUT(asked.answers, 1, kPatience);
    std::printf("measured: death noticed after %lld ms\n", static_cast<long long>(timer.elapsed()));
    QCOMPARE(asked.failure->kind, std::string("not_connected"));
    QCOMPARE(lines.value(0), QStringLiteral("The engine ended or was killed."));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::ready, kPatience);
    QCOMPARE(noted("starts"), QStringLiteral("2"));
    Asked again;
    ask(client, "echo", {{"n", 3}}, this, again);
    QTRY_COMPARE_WITH_TIMEOUT(again.answers, 1, kPatience);
    QCOMPARE(again.result["n"].get<int>(), 3);
}

void tst_EngineClient::closesItsOutput() {
    EngineClient client(quick());
    connectReady(client, "closes");
    Asked asked;
    ask(client, "echo", Json::object(), this, asked);
    QTRY_COMPARE_WITH_TIMEOUT(asked.answers, 1, kPatience);
    QVERIFY(asked.failure.has_value());
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::ready, kPatience);
}

void tst_EngineClient::silence() {
    EngineClient client(quick());
    client.setBusy(true);
    connectReady(client, "plain");
    QSignalSpy silent(&client, &EngineClient::silent);
    client.request(QStringLiteral("freeze"), Json::object(), this, {}, [](const auto&) {});
    QTRY_VERIFY_WITH_TIMEOUT(!silent.isEmpty(), kPatience);
    QVERIFY(silent[0][0].toLongLong() >= 200);
    QStringList lines;
    connect(&client, &EngineClient::stateChanged, this, [&] { lines << client.stateLine(); });
    QTRY_VERIFY_WITH_TIMEOUT(!lines.isEmpty(), kPatience);
    QVERIFY2(lines[0].contains(QStringLiteral("nothing for 3 s")), qPrintable(lines[0]));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::ready, kPatience);
    QCOMPARE(silent.last()[0].toLongLong(), 0);
}

void tst_EngineClient::events() {
    EngineClient client(quick());
    QStringList said;
    spd::EngineEvents& events = client.events();
    connect(&events, &spd::EngineEvents::logged, this,
            [&](const QString&, qint64, const QStringList& lines) { said << lines; });
    connect(&events, &spd::EngineEvents::jobChanged, this,
            [&](const spd::protocol::Job& job) { said << QString::fromStdString(job.id + " " + job.kind); });
    connect(&events, &spd::EngineEvents::jobProgress, this,
            [&](const QString& job, const spd::protocol::JobProgress& progress) {
                said << QStringLiteral("%1 %2/%3")
                            .arg(job)
                            .arg(progress.progress.done)
                            .arg(progress.progress.total);
            });
    connect(&events, &spd::EngineEvents::otherEvent, this,
            [&](const QString& method, const Json&) { said << method; });
    QSignalSpy odd(&client, &EngineClient::oddLine);
    connectReady(client, "events");
    QTRY_VERIFY_WITH_TIMEOUT(said.contains(QStringLiteral("surprise")), kPatience);
    QCOMPARE(said.join(u'|'), QStringLiteral("line 4|line 5|line 6|a1 calibrate|a1 3/10|surprise"));
    QCOMPARE(odd.size(), 1);
    QCOMPARE(noted("subscribed"), QStringLiteral("session 4"));
}

void tst_EngineClient::resumes() {
    EngineClient client(quick());
    QSignalSpy other(&client.events(), &spd::EngineEvents::otherEvent);
    QSignalSpy connected(&client, &EngineClient::connected);
    connectReady(client, "events");
    QTRY_COMPARE_WITH_TIMEOUT(other.size(), 1, kPatience);
    client.reconnect();
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 2, kPatience);
    QCOMPARE(connected[0][0].toBool(), true);
    QCOMPARE(connected[1][0].toBool(), false);
    QCOMPARE(noted("subscribed"), QStringLiteral("session 11"));
}

void tst_EngineClient::gap() {
    EngineClient client(quick());
    QSignalSpy connected(&client, &EngineClient::connected);
    connectReady(client, "gap");
    client.reconnect();
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 2, kPatience);
    QCOMPARE(connected[1][0].toBool(), true);
    client.reconnect();
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 3, kPatience);
    QCOMPARE(noted("subscribed"), QStringLiteral("session 50"));
}

void tst_EngineClient::lostEvents() {
    EngineClient client(quick());
    QSignalSpy connected(&client, &EngineClient::connected);
    QSignalSpy logged(&client.events(), &spd::EngineEvents::logged);
    connectReady(client, "lost_events");
    QTRY_COMPARE_WITH_TIMEOUT(logged.size(), 1, kPatience);
    QCOMPARE(connected.size(), 2);
}

void tst_EngineClient::versions_data() {
    QTest::addColumn<QByteArray>("name");
    QTest::newRow("refused by the engine") << QByteArray("refuses_version");
    QTest::newRow("noticed by the window") << QByteArray("other_version");
}

void tst_EngineClient::versions() {
    QFETCH(QByteArray, name);
    EngineClient client(quick());
    client.connectTo(plan(name.constData()));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::failed, kPatience);
    QVERIFY2(client.stateLine().contains(QStringLiteral("protocol 9")), qPrintable(client.stateLine()));
    QVERIFY(client.stateLine().contains(QStringLiteral("protocol 1")));
    QCOMPARE(noted("starts"), QStringLiteral("1"));
}

void tst_EngineClient::hopeless_data() {
    QTest::addColumn<QStringList>("command");
    QTest::addColumn<QString>("words");
    QTest::newRow("no program") << QStringList{QStringLiteral("/no/such/program")}
                                << QStringLiteral("could not be started");
    QTest::newRow("not found by the shell")
        << QStringList{QStringLiteral("sh"), QStringLiteral("-c"), QStringLiteral("no-such-program-here")}
        << QStringLiteral("not found");
    QTest::newRow("no command") << QStringList{} << QStringLiteral("could not be started");
}

void tst_EngineClient::hopeless() {
    QFETCH(QStringList, command);
    QFETCH(QString, words);
    EngineClient client(quick());
    client.connectTo(command);
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::failed, kPatience);
    QVERIFY2(client.stateLine().contains(words), qPrintable(client.stateLine()));
    client.connectTo(plan("no_workspace"));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::failed, kPatience);
    QCOMPARE(client.stateLine(), QStringLiteral("spd-attach: /w: no such folder"));
}

void tst_EngineClient::triesAgainWithAnEnd() {
    EngineClient client(quick());
    client.connectTo(plan("unreachable"));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::failed, kPatience);
    QCOMPARE(noted("starts"), QStringLiteral("3"));
    QCOMPARE(client.stateLine(), QStringLiteral("ssh: connect to host h port 22: Connection refused"));
}

void tst_EngineClient::leavesAChildThatIsStuck() {
    QElapsedTimer timer;
    timer.start();
    {
        EngineClient client(quick());
        connectReady(client, "plain");
        client.request(QStringLiteral("freeze"), Json::object(), this, {}, [](const auto&) {});
        QTest::qWait(50);
    }
    QVERIFY(timer.elapsed() < 5000);
}

QTEST_GUILESS_MAIN(tst_EngineClient)
#include "tst_engine_client.moc"
