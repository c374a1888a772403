// The window's client against spd-attach and spd engine as they are built.
#include <signal.h>

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <cstdio>

#include "app/workbench/engine_client.h"

using spd::EngineClient;
using spd::EngineState;
using Json = nlohmann::ordered_json;

class tst_EngineClientReal : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answersAndComesBack();
    void refusesAWorkspaceThatCannotBe();
};

namespace {

constexpr int kPatience = 30'000;

QStringList attach(const QString& workspace) {
    return {QStringLiteral(SPD_ATTACH), QStringLiteral("--workspace"), workspace, QStringLiteral("--linger"),
            QStringLiteral("1")};
}

}  // namespace

void tst_EngineClientReal::answersAndComesBack() {
    QTemporaryDir folder;
    EngineClient client;
    client.setBusy(true);
    QSignalSpy connected(&client, &EngineClient::connected);
    client.connectTo(attach(folder.path()));
    QTRY_COMPARE_WITH_TIMEOUT(client.state(), EngineState::ready, kPatience);
    QCOMPARE(client.engine().workspace, folder.path());
    QVERIFY(client.engine().threads > 0);
    Json jobs;
    client.request(QStringLiteral("jobs.list"), Json::object(), this,
                   [&](const Json& result) { jobs = result; });
    QTRY_VERIFY_WITH_TIMEOUT(!jobs.is_null(), kPatience);
    QCOMPARE(jobs.dump(), std::string(R"({"jobs":[]})"));

    QString line;
    qint64 noticed = -1;
    QElapsedTimer timer;
    connect(&client, &EngineClient::stateChanged, this, [&] {
        if (noticed < 0) {
            noticed = timer.elapsed();
            line = client.stateLine();
        }
    });
    const QString session = client.engine().session;
    timer.start();
    ::kill(static_cast<pid_t>(client.engine().pid), SIGKILL);
    QTRY_COMPARE_WITH_TIMEOUT(connected.size(), 2, kPatience);
    std::printf("measured: a killed engine is noticed after %lld ms, another one ready after %lld ms\n",
                static_cast<long long>(noticed), static_cast<long long>(timer.elapsed()));
    QVERIFY(noticed < 1000);
    QCOMPARE(line, QStringLiteral("The engine ended or was killed."));
    QVERIFY(client.engine().session != session);
    QCOMPARE(connected[1][0].toBool(), true);
}

void tst_EngineClientReal::refusesAWorkspaceThatCannotBe() {
    EngineClient client;
    client.connectTo(attach(QStringLiteral("/proc/no/such")));
    QTRY_VERIFY_WITH_TIMEOUT(client.state() == EngineState::failed || client.state() == EngineState::lost,
                             kPatience);
    QVERIFY2(client.stateLine().contains(QStringLiteral("/proc/no/such")), qPrintable(client.stateLine()));
}

QTEST_GUILESS_MAIN(tst_EngineClientReal)
#include "tst_engine_client_real.moc"
