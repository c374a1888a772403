#include "views/subspace/subspace_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <QTableView>

#include "views/shared/empty_page.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"
#include "views/subspace/heat_map.h"
#include "views/subspace/picks/measures.h"
#include "views/subspace/rank_bar.h"
#include "views/subspace/spectrum_plots.h"
#include "views/subspace/targets_model.h"

namespace spd {

namespace {

constexpr size_t kMostCurves = 24;  // drawn at once; more are a tangle

EmptyPage::Words emptyWords() {
    return {.title = SubspacePage::tr("Subspace"),
            .purpose = SubspacePage::tr("The singular values of the K and V gradients, layer by layer. Here "
                                        "you pick the layers and the rank of "
                                        "the projection, and see how much of the choice the data decides."),
            .first_step = SubspacePage::tr("Run a calibration first: its spectra appear here."),
            .button = SubspacePage::tr("Go to Calibration")};
}

}  // namespace

SubspacePage::SubspacePage(QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new EmptyPage(emptyWords())),
      message_(new QLabel),
      measure_(new QComboBox),
      preset_(new QComboBox),
      project_(new QComboBox),
      map_(new HeatMap),
      plots_(new SpectrumPlots),
      rank_bar_(new RankBar),
      targets_(new TargetsModel(this)),
      table_(new QTableView) {
    auto* upper = new QSplitter(Qt::Horizontal);
    upper->addWidget(makeLayers());
    upper->addWidget(plots_);
    upper->setStretchFactor(0, 0);
    upper->setStretchFactor(1, 1);
    upper->setChildrenCollapsible(false);
    auto* both = new QSplitter(Qt::Vertical);
    both->addWidget(upper);
    both->addWidget(makeTargets());
    both->setStretchFactor(0, 1);
    both->setChildrenCollapsible(false);
    both->setSizes({460, 170});
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(kInner, kInner, kInner, kInner);
    layout->setSpacing(kGrid);
    layout->addWidget(message_);
    layout->addWidget(both, 1);
    message_->setWordWrap(true);
    stack_->addWidget(empty_);
    stack_->addWidget(content);
    wire();
}

QWidget* SubspacePage::makeLayers() {
    for (const Measure measure : kMeasures) {
        measure_->addItem(measureName(measure), static_cast<int>(measure));
        measure_->setItemData(measure_->count() - 1, measureTip(measure), Qt::ToolTipRole);
    }
    measure_->setToolTip(tr("What the cells show, at the present rank"));
    measure_->setAccessibleName(tr("Shown in the cells"));
    preset_->addItems({tr("layers..."), tr("last_mid"), tr("all"), tr("none")});
    preset_->setToolTip(
        tr("Layers that are projected, counted from 0. Default last_mid: the last and the middle one "
           "(paper, Table 7). --project-layers"));
    preset_->setAccessibleName(tr("Preset of layers"));
    project_->addItem(tr("K and V"), QStringLiteral("both"));
    project_->addItem(tr("K only"), QStringLiteral("k"));
    project_->addItem(tr("V only"), QStringLiteral("v"));
    project_->setToolTip(tr("What is projected. Default K and V. --project"));
    project_->setAccessibleName(tr("Projected"));
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(measure_);
    layout->addWidget(map_, 1);
    auto* row = new QHBoxLayout;
    row->addWidget(preset_);
    row->addWidget(project_);
    layout->addLayout(row);
    return widget;
}

QWidget* SubspacePage::makeTargets() {
    auto* sorted = new QSortFilterProxyModel(this);
    sorted->setSourceModel(targets_);
    sorted->setSortRole(Qt::UserRole);
    table_->setModel(sorted);
    table_->setSortingEnabled(true);
    table_->sortByColumn(TargetsModel::target, Qt::DescendingOrder);
    table_->verticalHeader()->hide();
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kGrid);
    table_->setMinimumHeight(3 * (fontMetrics().height() + kGrid));
    table_->setAlternatingRowColors(true);
    table_->setShowGrid(false);
    table_->setAccessibleName(tr("Picked targets at their ranks"));
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(rank_bar_);
    layout->addWidget(table_, 1);
    return widget;
}

void SubspacePage::wire() {
    connect(empty_, &EmptyPage::clicked, this, &SubspacePage::firstStepWanted);
    connect(map_, &HeatMap::layerToggled, this, &SubspacePage::toggleLayer);
    connect(measure_, &QComboBox::currentIndexChanged, this, &SubspacePage::showRanks);
    connect(preset_, &QComboBox::activated, this, [this](int index) {
        ProjectionPick pick = pick_;
        pick.layers.clear();
        const std::vector<int64_t> layers =
            index == 1 ? lastMid(figures_->curves()) : figures_->curves().layers;
        if (index == 1 || index == 2)
            pick.layers.insert(layers.begin(), layers.end());
        preset_->setCurrentIndex(0);
        if (index != 0)
            change(pick, tr("Pick layers"));
    });
    connect(project_, &QComboBox::activated, this, [this] {
        ProjectionPick pick = pick_;
        pick.project = project_->currentData().toString().toStdString();
        change(pick, tr("Pick K or V"));
    });
    connect(rank_bar_, &RankBar::choiceWanted, this, [this](const RankChoice& choice) {
        ProjectionPick pick = pick_;
        pick.rank = choice;
        change(pick, tr("Pick rank"));
        Q_EMIT pickSettled();
    });
    connect(targets_, &TargetsModel::rankWanted, this, [this](size_t target, int64_t rank) {
        ProjectionPick pick = pick_;
        const protocol::TargetCurves& curves = figures_->target(target);
        pick.rank.by_hand[{curves.target, curves.head}] =
            std::min<int64_t>(rank, std::ssize(curves.singular_values));
        change(pick, tr("Pick rank of %1").arg(targetName(curves, figures_->curves().per_head)));
        Q_EMIT pickSettled();
    });
    connect(plots_, &SpectrumPlots::rankDragged, this, &SubspacePage::dragRank);
    connect(plots_, &SpectrumPlots::rankReleased, this, [this] {
        ++drag_;
        Q_EMIT pickSettled();
    });
    map_->setDescriber([this](size_t cell) { return describeTarget(*figures_, cell, pick_.rank); });
}

void SubspacePage::setCurves(protocol::SubspaceCurves curves) {
    figures_ = std::make_shared<const SubspaceFigures>(std::move(curves));
    undo_.clear();
    const protocol::SubspaceCurves& shown = figures_->curves();
    std::vector<HeatMap::Cell> cells;
    QStringList columns;
    for (const protocol::TargetCurves& target : shown.targets) {
        const bool first_layer = target.target.layer == shown.layers.front();
        const QString stream =
            target.target.stream == KvStream::k ? QStringLiteral("K") : QStringLiteral("V");
        if (first_layer)
            columns.push_back(shown.per_head ? QStringLiteral("%1%2").arg(stream).arg(target.head) : stream);
        const bool same_layer = !cells.empty() && cells.back().layer == target.target.layer;
        cells.push_back({.layer = target.target.layer,
                         .column = same_layer ? cells.back().column + 1 : 0,
                         .value = 0,
                         .text = {}});
    }
    map_->setCells(std::move(cells), columns);
    rank_bar_->setWidth(std::ssize(shown.targets.front().singular_values));
    ProjectionPick pick = pick_;
    std::erase_if(pick.layers, [&](int64_t layer) {
        return !std::binary_search(shown.layers.begin(), shown.layers.end(), layer);
    });
    if (pick.layers.empty()) {
        const std::vector<int64_t> usual = lastMid(shown);
        pick.layers.insert(usual.begin(), usual.end());
    }
    stack_->setCurrentIndex(1);
    pick_ = pick;
    showLayers();  // other curves, even where the same layers are picked
    apply(pick);
    table_->resizeColumnsToContents();
}

void SubspacePage::clear() {
    figures_.reset();
    undo_.clear();
    targets_->setFigures(nullptr, {});
    plots_->setFigures(nullptr, {});
    stack_->setCurrentIndex(0);
}

void SubspacePage::setControl(protocol::SubspaceCurves curves, const QString& name) {
    plots_->setControl(std::make_shared<const SubspaceFigures>(std::move(curves)), name);
}

void SubspacePage::clearControl() {
    plots_->setControl(nullptr, {});
}

void SubspacePage::setPick(const ProjectionPick& pick) {
    pick_ = pick;
    if (figures_)
        apply(pick);
}

void SubspacePage::change(ProjectionPick pick, const QString& text, int drag) {
    if (pick == pick_)
        return;
    undo_.push(new PickCommand(pick_, std::move(pick), text, drag,
                               [this](const ProjectionPick& wanted) { apply(wanted); }));
}

void SubspacePage::apply(const ProjectionPick& pick) {
    const bool other_targets =
        pick.layers != pick_.layers || pick.project != pick_.project || targets_->rowCount() == 0;
    pick_ = pick;
    if (other_targets)
        showLayers();
    showRanks();
    Q_EMIT pickChanged(pick_);
}

std::vector<size_t> SubspacePage::pickedTargets() const {
    std::vector<size_t> picked;
    for (size_t i = 0; i < figures_->size(); ++i) {
        const KvTarget& target = figures_->target(i).target;
        if (pick_.layers.contains(target.layer) && pick_.uses(target.stream))
            picked.push_back(i);
    }
    return picked;
}

void SubspacePage::showLayers() {
    map_->setPicked(pick_.layers);
    project_->setCurrentIndex(std::max(0, project_->findData(QString::fromStdString(pick_.project))));
    std::vector<size_t> picked = pickedTargets();
    targets_->setFigures(figures_, picked);
    if (picked.size() > kMostCurves)
        picked.erase(picked.begin(), picked.end() - static_cast<std::ptrdiff_t>(kMostCurves));
    plots_->setFigures(figures_, std::move(picked));
}

/// All that depends on the rank: called with each movement of the cursor.
void SubspacePage::showRanks() {
    if (!figures_)
        return;
    const auto measure = static_cast<Measure>(measure_->currentData().toInt());
    const MeasuredCells cells = measureCells(measure, *figures_, pick_.rank);
    map_->setValues(cells.values, cells.texts, cells.low, cells.high);
    targets_->setChoice(pick_.rank);
    rank_bar_->setChoice(pick_.rank);
    const std::vector<size_t> picked = pickedTargets();
    message_->setText(cutInWords(*figures_, picked, pick_.rank));
    if (!picked.empty()) {
        const int64_t rank = rankOf(pick_.rank, figures_->target(picked.back()));
        plots_->setRank(rank, tr("r %1").arg(rank));
    }
}

QString SubspacePage::rankInWords() const {
    return figures_ ? ranksInWords(*figures_, pickedTargets(), pick_.rank) : QString();
}

std::string SubspacePage::rankRule() const {
    if (!figures_ || pick_.rank.by_hand.empty())
        return pick_.rank.ruleText();
    return ranksAsRule(*figures_, pickedTargets(), pick_.rank);
}

void SubspacePage::toggleLayer(int64_t layer) {
    ProjectionPick pick = pick_;
    if (!pick.layers.erase(layer))
        pick.layers.insert(layer);
    change(pick, tr("Pick layer %1").arg(layer));
}

void SubspacePage::dragRank(int64_t rank) {
    ProjectionPick pick = pick_;
    pick.rank.rule = RankChoice::Rule::fixed;
    pick.rank.fixed = rank;
    pick.rank.by_hand.clear();
    change(pick, tr("Drag rank"), drag_);
}

}  // namespace spd
