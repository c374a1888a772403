#include "views/frame/stage.h"

#include <QCoreApplication>

namespace spd {

namespace {

struct Words {
    const char* name;
    const char* title;
    const char* purpose;
};

constexpr std::array<Words, kStageCount> kWords = {{
    {"model", QT_TRANSLATE_NOOP("Stage", "Model"),
     QT_TRANSLATE_NOOP("Stage", "Choose a checkpoint, see what is in it and whether it fits")},
    {"calibration", QT_TRANSLATE_NOOP("Stage", "Calibration"),
     QT_TRANSLATE_NOOP("Stage", "Measure the K and V gradients of a few solved examples")},
    {"subspace", QT_TRANSLATE_NOOP("Stage", "Subspace"),
     QT_TRANSLATE_NOOP("Stage", "See the spectra, pick layers and rank")},
    {"preview", QT_TRANSLATE_NOOP("Stage", "Preview"),
     QT_TRANSLATE_NOOP("Stage", "Compare completions of base, projection and adapter")},
    {"corpus", QT_TRANSLATE_NOOP("Stage", "Corpus"),
     QT_TRANSLATE_NOOP("Stage", "Let the model write its own training texts")},
    {"training", QT_TRANSLATE_NOOP("Stage", "Training"),
     QT_TRANSLATE_NOOP("Stage", "Train a LoRA adapter on the corpus")},
    {"evaluation", QT_TRANSLATE_NOOP("Stage", "Evaluation"),
     QT_TRANSLATE_NOOP("Stage", "Score base, PSR, SSD and SPD with intervals")},
    {"runs", QT_TRANSLATE_NOOP("Stage", "Runs"),
     QT_TRANSLATE_NOOP("Stage", "Everything that was done: compare, repeat, export")},
}};

const Words& wordsOf(Stage stage) {
    return kWords[static_cast<size_t>(stage)];
}

}  // namespace

QString stageTitle(Stage stage) {
    return QCoreApplication::translate("Stage", wordsOf(stage).title);
}
QString stageName(Stage stage) {
    return QString::fromLatin1(wordsOf(stage).name);
}
QString stagePurpose(Stage stage) {
    return QCoreApplication::translate("Stage", wordsOf(stage).purpose);
}

}  // namespace spd
