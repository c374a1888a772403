// Settings as a form and as a command line; curves that go back after a resume; what the page says and
// allows.

#include <QClipboard>
#include <QComboBox>
#include <QElapsedTimer>
#include <QGuiApplication>
#include <QLineEdit>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <cmath>
#include <cstdio>

#include "core/train/training_settings.h"
#include "views/shared/form/settings_form.h"
#include "views/training/training_page.h"
#include "views/training/training_plots.h"
#include "views/training/training_settings_fields.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

TrainingPoint pointAt(int64_t step, double loss) {
    return {.step = step,
            .epoch = 1,
            .loss = loss,
            .lr = 1e-5,
            .grad_norm = 2,
            .tokens_per_second = 300,
            .held_out_nll = {}};
}

protocol::Job jobIn(protocol::JobState state) {
    protocol::Job job;
    job.id = "job-000007";
    job.kind = "train";
    job.state = state;
    job.resumable = true;
    return job;
}

QPushButton* buttonOf(QWidget& page, const QString& text) {
    for (auto* button : page.findChildren<QPushButton*>())
        if (button->text() == text)
            return button;
    return nullptr;
}

}  // namespace

class tst_TrainingPage : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// The form's defaults against those that the engine trains with.
    void defaultsAreTheEngines() {
        const TrainingSettings engine;
        const ordered_json form = defaultsOf(trainingFields());
        QVERIFY(form["epochs"] == engine.epochs && form["batch_size"] == engine.batch_size);
        QVERIFY(form["lr"] == engine.lr && form["r"] == engine.r && form["alpha"] == engine.alpha);
        QVERIFY(form["dropout"] == engine.dropout && form["weight_decay"] == engine.weight_decay);
        QVERIFY(form["max_grad_norm"] == engine.max_grad_norm && form["seed"] == engine.seed);
        for (const Field& field : trainingFields()) {
            QVERIFY2(problemOf(field, field.default_value).isEmpty(), field.key.c_str());
            QVERIFY2(!field.what.isEmpty() && tooltipOf(field).contains(flagOf(field)), field.key.c_str());
        }
    }

    void valuesAreReadAsTheyAreTyped() {
        QVERIFY(numberFrom(QStringLiteral(" 2e-4 "), Field::Kind::number) == 2e-4);
        QVERIFY(numberFrom(QStringLiteral("1\u2009000"), Field::Kind::integer) == 1000);
        for (const char* wrong : {"", "x", "1.5", "1e3"})
            QVERIFY2(numberFrom(QString::fromLatin1(wrong), Field::Kind::integer).is_null(), wrong);
        for (const char* wrong : {"", "nan", "inf", "1,5", "0x1"})
            QVERIFY2(numberFrom(QString::fromLatin1(wrong), Field::Kind::number).is_null(), wrong);
    }

    void theFormTellsWhatDiffersAndWhatIsWrong() {
        SettingsForm form(trainingFields());
        QSignalSpy changed(&form, &SettingsForm::changed);
        QVERIFY(form.problem().isEmpty() && differences(form.fields(), form.values()).isEmpty());
        ordered_json values = form.values();
        values["lr"] = 2e-4;
        values["keep_best"] = true;
        values["loss"] = "completion_only";
        form.setValues(values);
        QCOMPARE(changed.count(), 1);
        QVERIFY(form.values() == values);
        QCOMPARE(differences(form.fields(), form.values()).size(), 3);
        values["lr"] = -1;
        form.setValues(values);
        QVERIFY(form.problem().contains(QStringLiteral("learning rate")));
        for (auto* line : form.findChildren<QLineEdit*>())
            if (line->accessibleName() == QStringLiteral("epochs"))
                line->setText(QStringLiteral("many"));
        QVERIFY(form.values()["epochs"].is_null() && form.problem().contains(QStringLiteral("epochs")));
    }

    /// The words that a shell makes of the command are those that were meant.
    void theCommandLineSaysTheSame() {
        const std::vector<Field> fields = trainingFields();
        ordered_json values = defaultsOf(fields);
        QCOMPARE(optionsOf(fields, values), QString());
        values["lr"] = 2e-4;
        values["held_out"] = "my file's $HOME.jsonl";
        values["keep_best"] = true;
        QProcess shell;
        shell.start(QStringLiteral("sh"),
                    {QStringLiteral("-c"), QStringLiteral("printf '%s\\n' ") + optionsOf(fields, values)});
        QVERIFY(shell.waitForFinished());
        const QStringList words =
            QString::fromUtf8(shell.readAllStandardOutput()).split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(words,
                 (QStringList{QStringLiteral("--lr"), QStringLiteral("0.0002"), QStringLiteral("--held-out"),
                              QStringLiteral("my file's $HOME.jsonl"), QStringLiteral("--keep-best")}));
    }

    void curvesGoBackAfterAResume() {
        TrainingCurves curves;
        for (int step = 1; step <= 45; ++step)
            QVERIFY(curves.add(pointAt(step, 3)));
        QVERIFY(!curves.add(pointAt(41, 2)));
        QVERIFY(curves.add(pointAt(42, 1)));
        QCOMPARE(curves.points().size(), size_t{42});
        QCOMPARE(curves.points()[40].loss, 2.0);
        QVERIFY(!trainingPoint({{"step", 1}}) && !trainingPoint(3) &&
                !trainingPoint({{"step", "x"}, {"loss", 1}}));
        QCOMPARE(trainingPoint({{"step", 2}, {"loss", 1.5}, {"held_out_nll", 1.2}})->held_out_nll, 1.2);
    }

    void smoothingIsADebiasedMean() {
        TrainingCurves curves;
        const std::vector<double> losses = {4, 2, std::nan(""), 1, 3};
        for (size_t i = 0; i < losses.size(); ++i)
            curves.add(pointAt(static_cast<int64_t>(i) + 1, losses[i]));
        const std::vector<double> smoothed = curves.smoothedLoss(0.5);
        QVERIFY(std::abs(smoothed[0] - 4) < 1e-12);
        QVERIFY(std::abs(smoothed[1] - (0.25 * 4 + 0.5 * 2) / 0.75) < 1e-12);
        QVERIFY(std::abs(smoothed[3] - (0.125 * 4 + 0.25 * 2 + 0.5 * 1) / 0.875) < 1e-12);
        QCOMPARE(curves.smoothedLoss(0)[4], 3.0);
    }

    void thePageAllowsWhatMakesSense() {
        TrainingPage page;
        QSignalSpy train(&page, &TrainingPage::trainWanted), resume(&page, &TrainingPage::resumeWanted);
        page.setCorpus(QStringLiteral("16 completions"), QStringLiteral("spd train m --corpus c --out d"));
        auto* button = buttonOf(page, QStringLiteral("Train"));
        auto* stop = buttonOf(page, QStringLiteral("Stop and save"));
        QVERIFY(button != nullptr && stop != nullptr && button->isEnabled() && !stop->isEnabled());
        button->click();
        QCOMPARE(train.count(), 1);
        page.setJob(jobIn(protocol::JobState::running));
        QVERIFY(!button->isEnabled() && stop->isEnabled());
        stop->click();
        QVERIFY(!stop->isEnabled());
        page.setJob(jobIn(protocol::JobState::interrupted));
        QCOMPARE(button->text(), QStringLiteral("Resume"));
        button->click();
        QCOMPARE(resume.count(), 1);
        buttonOf(page, QStringLiteral("Copy as command"))->click();
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("spd train m --corpus c --out d"));
    }

    void aLongTrainingStaysQuick() {
        TrainingPage page;
        page.resize(900, 600);
        page.setCorpus(QStringLiteral("corpus"), {});
        page.setJob(jobIn(protocol::JobState::running));
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        std::vector<TrainingPoint> points;
        for (int step = 1; step <= 100'000; ++step)
            points.push_back(pointAt(step, 2 + std::sin(step * 0.01)));
        page.addPoints(points);
        QCoreApplication::processEvents();
        double worst = 0;
        for (int step = 100'001; step <= 100'020; ++step) {
            QElapsedTimer timer;
            timer.start();
            page.addPoints({pointAt(step, 2)});
            QCoreApplication::processEvents();
            worst = std::max(worst, static_cast<double>(timer.nsecsElapsed()) * 1e-6);
        }
        std::printf("measured: a point behind 100,000 others, painted in four plots: %.1f ms at most\n",
                    worst);
        QVERIFY(worst < 100);
    }

    void picture() {
        const QString pictures = qEnvironmentVariable("SPD_SCREENSHOTS");
        if (pictures.isEmpty())
            QSKIP("SPD_SCREENSHOTS is not set");
        TrainingPage page;
        page.resize(850, 580);
        page.setCorpus(QStringLiteral("128 completions, 21\u2009034 tokens"), {});
        page.setJob(jobIn(protocol::JobState::running));
        page.setProgress({{"train", 118, 240, 310, "loss 1.21, lr 0.00013"}, 0.9, 134});
        ordered_json settings = page.settings();
        settings["lr"] = 2e-4;
        page.setSettings(settings);
        std::vector<TrainingPoint> points;
        for (int step = 1; step <= 118; ++step) {
            points.push_back(pointAt(step, 2.1 * std::exp(-step / 70.0) + 0.9 + 0.12 * std::sin(step * 1.7)));
            points.back().lr = 1e-4 * (1 + std::cos(step * 3.14159 / 240));
            points.back().grad_norm = 1.4 + 0.5 * std::sin(step * 0.9);
            points.back().tokens_per_second = 310 + 12 * std::sin(step * 2.3);
            if (step % 24 == 0)
                points.back().held_out_nll = 2.0 * std::exp(-step / 80.0) + 1.1;
        }
        page.addPoints(points);
        page.show();
        QTest::qWait(300);
        QVERIFY2(page.width() <= 860, "wider than a window of 1280 leaves it");
        QVERIFY(page.grab().save(pictures + QStringLiteral("/training.png")));
    }
};

QTEST_MAIN(tst_TrainingPage)
#include "tst_training_page.moc"
