#include <QApplication>

#include "views/model/model_page.h"
#include "views/shared/theme.h"

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    spd::Theme theme(application);
    spd::ModelPage page;
    page.show();
    return QApplication::exec();
}
