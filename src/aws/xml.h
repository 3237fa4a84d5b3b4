/* The one thing that we need of XML: the text of an element without children. STS answers in
   it, and some gateways put their errors in it. */
#ifndef AWS_XML_H
#define AWS_XML_H

#include <stdbool.h>
#include <stddef.h>

/* Copies the text of the first element called name to out. False when there is none, when it
   has children, or when it does not fit. The five named entities are resolved. */
bool xml_text(const char *document, const char *name, char *out, size_t size);

#endif
