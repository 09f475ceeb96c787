#include "runner/keeper/sys.hpp"

int main(int argc, char** argv) { return lull::keeper::keep(argc, argv); }
