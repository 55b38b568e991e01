// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * launch NAME [ARGUMENT...]: run one of Pinwheel's own Python entry points, and nothing else.
 *
 * There is no `python` command on a node, and this is not one either. It embeds libpython, but the modules that it can run
 * are a table fixed at build time (entry-points.toml), and they are imported from one directory of the verified, read-only
 * root. It reads no script, no option, no standard input, no PYTHON* variable, no pyvenv.cfg, no site or user
 * customisation and no .pth file; and, once it runs, the import system knows no source files and no other directory.
 *
 * Entry points take no argument, but for those that are declared as commands (`apiclient`). What follows a command's name
 * is data for its own code, in sys.argv: neither this program nor Python looks at it. A command is also called by a link
 * of its name to this program, so that it can be typed as any other.
 *
 * One thing is out of its reach: LD_PRELOAD and its like work before main(). Whoever may set them for this process may as
 * well start another program; a service's environment is systemd's to keep. They are dropped for the children.
 *
 * Exit codes: the entry point's own, 1 for an exception that it lets out, 64 (EX_USAGE) for a name not in the table.
 */
#include <Python.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "entry-points.h" // PYTHON_DIRECTORY, ENTRY_POINTS, KEPT_VARIABLES, SET_VARIABLES, made at build time

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define WIDE_(text) L##text
#define WIDE(text) WIDE_(text)

struct entry_point {
    const char *name, *module, *function;
    int is_command; // takes arguments, and may be called by a link of its name
};
static const struct entry_point entry_points[] = {ENTRY_POINTS};

struct variable {
    const char *name, *value;
};
static const char *const kept_variables[] = {KEPT_VARIABLES};
static const struct variable set_variables[] = {SET_VARIABLES};

/*
 * Python sets up its import system for source files, zip archives and any directory. What replaces it takes compiled and
 * extension modules from PYTHON_DIRECTORY only, so that not even code that changes sys.path can import from elsewhere.
 * The collector of cyclic garbage would run dozens of times while modules are imported, and find nothing: a tenth of a start.
 */
static const char prologue[] =
    "import _imp, gc, sys\n"
    "gc.set_threshold(50_000)\n"
    "from _frozen_importlib_external import ExtensionFileLoader, FileFinder, SourcelessFileLoader\n"
    "find = FileFinder.path_hook((ExtensionFileLoader, _imp.extension_suffixes()), (SourcelessFileLoader, ['.pyc']))\n"
    "def image_path_hook(path):\n"
    "    if not (path + '/').startswith('" PYTHON_DIRECTORY "/') or '..' in path.split('/'):\n"
    "        raise ImportError('modules come from the image only', path=path)\n"
    "    return find(path)\n"
    "sys.path_hooks[:] = [image_path_hook]\n"
    "sys.path_importer_cache.clear()\n";

static const struct entry_point *find_entry_point(const char *name)
{
    for (size_t i = 0; i < LENGTH(entry_points); i++)
        if (strcmp(name, entry_points[i].name) == 0)
            return &entry_points[i];
    return NULL;
}

/* Find what is called for, and where its arguments begin: by the name that this program was called by, or by the first
 * argument. NULL for what is not in the table, and for arguments to what takes none. */
static const struct entry_point *choose(int argc, char **argv, int *first)
{
    if (argc < 1)
        return NULL;
    const char *slash = strrchr(argv[0], '/');
    const struct entry_point *entry = find_entry_point(slash ? slash + 1 : argv[0]);
    *first = 1;
    if (entry && entry->is_command)
        return entry;
    entry = argc > 1 ? find_entry_point(argv[1]) : NULL;
    *first = 2;
    return entry && (entry->is_command || argc == 2) ? entry : NULL;
}

static int usage(void)
{
    fputs("usage: launch NAME\nNAME is one of:", stderr);
    for (size_t i = 0; i < LENGTH(entry_points); i++)
        fprintf(stderr, " %s", entry_points[i].name);
    fputc('\n', stderr);
    return EX_USAGE;
}

static void scrub_environment(void)
{
    const char *values[LENGTH(kept_variables)];
    int failed = 0;

    for (size_t i = 0; i < LENGTH(kept_variables); i++)
        values[i] = getenv(kept_variables[i]); // points into the block that the kernel made: outlives clearenv()
    failed |= clearenv();
    for (size_t i = 0; i < LENGTH(kept_variables); i++)
        failed |= values[i] && setenv(kept_variables[i], values[i], 1);
    for (size_t i = 0; i < LENGTH(set_variables); i++)
        failed |= setenv(set_variables[i].name, set_variables[i].value, 1);
    if (failed) {
        perror("launch: cannot set up the environment");
        exit(EX_OSERR);
    }
}

static void require(PyStatus status)
{
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
}

static void start_python(const char *name, int count, char **arguments)
{
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1; // there are no locales on the node
    require(Py_PreInitialize(&before));

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config); // no environment, no user site, no command line, safe path
    config.use_environment = 0;           // said again, each: a change of that function's mind must not reach the node
    config.user_site_directory = 0;
    config.site_import = 0;
    config.safe_path = 1;
    config.parse_argv = 0;
    config.pathconfig_warnings = 0;
    config.write_bytecode = 0;
    config.inspect = 0;
    config.interactive = 0;
    config.code_debug_ranges = 0;       // the modules are compiled without
    config.use_frozen_modules = 1;      // those in libpython itself: no file to find and read
    config.install_signal_handlers = 1; // SIGPIPE ignored: a peer that hangs up is an exception, not the end

    wchar_t *fixed = WIDE(PYTHON_DIRECTORY);
    wchar_t **places[] = {&config.home,        &config.prefix,           &config.base_prefix,
                          &config.exec_prefix, &config.base_exec_prefix, &config.stdlib_dir};
    for (size_t i = 0; i < LENGTH(places); i++)
        require(PyConfig_SetString(&config, places[i], fixed));
    config.module_search_paths_set = 1;
    require(PyWideStringList_Append(&config.module_search_paths, fixed));
    // sys.executable is for starting more interpreters: there is none to name.
    require(PyConfig_SetString(&config, &config.executable, L""));
    require(PyConfig_SetString(&config, &config.base_executable, L""));
    require(PyConfig_SetString(&config, &config.program_name, L"launch"));
    require(PyConfig_SetBytesArgv(&config, 1, (char *[]){(char *)name}));
    for (int i = 0; i < count; i++) {
        wchar_t *argument = Py_DecodeLocale(arguments[i], NULL); // as UTF-8, whatever the bytes: PEP 383
        require(argument ? PyWideStringList_Append(&config.argv, argument) : PyStatus_NoMemory());
        PyMem_RawFree(argument);
    }

    require(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

/* Do what `sys.exit(function())` does: on return an exception is set, SystemExit if all went well. */
static void run(const struct entry_point *entry)
{
    PyObject *globals = PyDict_New();
    if (!globals || !PyRun_String(prologue, Py_file_input, globals, globals))
        return;
    PyObject *module = PyImport_ImportModule(entry->module);
    if (!module)
        return;
    PyObject *result = PyObject_CallMethod(module, entry->function, NULL);
    if (result)
        PyErr_SetObject(PyExc_SystemExit, result);
}

int main(int argc, char **argv)
{
    int first;
    const struct entry_point *entry = choose(argc, argv, &first);
    if (!entry)
        return usage();
    scrub_environment();
    // No relative path may mean a place that somebody else chose; but in a command's arguments it means the caller's.
    if (!entry->is_command && chdir("/")) {
        perror("launch: /");
        return EX_OSERR;
    }
    start_python(entry->name, argc - first, argv + first);
    run(entry);
    PyErr_Print(); // for SystemExit this is the end of the process, with its code
    return Py_FinalizeEx() < 0 ? EX_SOFTWARE : EXIT_FAILURE;
}
