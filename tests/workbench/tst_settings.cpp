#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/workbench/settings.h"

using spd::Settings;

class tst_Settings : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void savedSoon();
    void forms();
    void recovering();
    void damaged();
};

void tst_Settings::savedSoon() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("w.ini"));
    Settings settings(path);
    QCOMPARE(settings.value(Settings::kPage).toString(), QStringLiteral("model"));
    QSignalSpy saved(&settings, &Settings::saved);
    settings.set(Settings::kPage, QStringLiteral("runs"));
    settings.set(Settings::kPage, QStringLiteral("corpus"));
    QVERIFY(settings.waits());
    QTRY_COMPARE_WITH_TIMEOUT(saved.size(), 1, 10'000);
    QCOMPARE(Settings(path).value(Settings::kPage).toString(), QStringLiteral("corpus"));
    settings.set(Settings::kPage, QStringLiteral("corpus"));
    QVERIFY(!settings.waits());
}

void tst_Settings::forms() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("w.ini"));
    const QVariantMap form = {{QStringLiteral("prompt"), QStringLiteral("ä,\n\"x\"")},
                              {QStringLiteral("n"), 50}};
    {
        Settings settings(path);
        settings.setForm(QStringLiteral("preview"), form);
    }
    const QVariantMap read = Settings(path).form(QStringLiteral("preview"));
    QCOMPARE(read[QStringLiteral("prompt")].toString(), form[QStringLiteral("prompt")].toString());
    QCOMPARE(read[QStringLiteral("n")].toInt(), 50);
    QVERIFY(Settings(path).form(QStringLiteral("none")).isEmpty());
}

void tst_Settings::recovering() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("w.ini"));
    QVERIFY(Settings(path).beginRecovering(QStringLiteral("x")));   // and breaks off
    QVERIFY(!Settings(path).beginRecovering(QStringLiteral("x")));  // so it is left out once
    QVERIFY(Settings(path).beginRecovering(QStringLiteral("x")));
    QVERIFY(Settings(path).beginRecovering(QStringLiteral("y")));
    Settings healthy(path);
    healthy.endRecovering();
    QVERIFY(Settings(path).beginRecovering(QStringLiteral("y")));
}

void tst_Settings::damaged() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("w.ini"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray("[window\npage=@Variant(\\0\\xff\n\0\xff=;;[", 40));
    file.close();
    Settings settings(path);
    settings.set(Settings::kPage, QStringLiteral("runs"));
    settings.saveNow();
    QCOMPARE(settings.value(Settings::kPage).toString(), QStringLiteral("runs"));
}

QTEST_GUILESS_MAIN(tst_Settings)
#include "tst_settings.moc"
