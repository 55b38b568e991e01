// SPDX-License-Identifier: Apache-2.0 OR MIT
/* rawcall.call(number, *arguments): any system call, as code injected into a process can make it. Arguments are whole
 * numbers, bytes (a pointer to them is passed) or None (0). Gives the result; raises OSError. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static PyObject *call(PyObject *self, PyObject *arguments)
{
    long values[7] = {0};
    (void)self;
    for (Py_ssize_t i = 0; i < PyTuple_Size(arguments) && i < 7; i++) {
        PyObject *item = PyTuple_GetItem(arguments, i);
        if (PyBytes_Check(item))
            values[i] = (long)PyBytes_AsString(item);
        else if (item != Py_None)
            values[i] = PyLong_AsLong(item);
    }
    if (PyErr_Occurred())
        return NULL;
    long result = syscall(values[0], values[1], values[2], values[3], values[4], values[5], values[6]);
    return result == -1 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(result);
}

static PyMethodDef methods[] = {{"call", call, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "rawcall", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_rawcall(void) { return PyModule_Create(&module); }
