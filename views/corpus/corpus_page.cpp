#include "views/corpus/corpus_page.h"

#include <QVBoxLayout>

#include "views/shared/empty_page.h"

namespace spd {

CorpusPage::CorpusPage(QWidget* parent) : QWidget(parent) {
    auto* empty = new EmptyPage(
        {.title = tr("Corpus"),
         .purpose = tr("The texts that the model with the projection writes for the training prompts. They "
                       "become the training data as they are, right or wrong."),
         .first_step = tr("Pick layers and rank on the Subspace page, then generate the corpus."),
         .button = {}});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(empty);
    connect(empty, &EmptyPage::clicked, this, &CorpusPage::firstStepWanted);
}

}  // namespace spd
