// In an image koffi is its native part alone, which is the whole API but for names deprecated
// since 2.7. koffi's own loader finds the platform's binding by reading the ELF headers of
// Node; an image knows its platform, and saves 7 MiB of resident memory.
module.exports = require('./koffi.node');
