/*
 * How xml.c and xml_write.c look at a node: inside the XML layer only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_XML_TREE_H
#define COMMON_XML_TREE_H

#include <libxml/tree.h>

#include "common/xml.h"

static inline const xmlNode *xml_tree(const struct gba_xml_node *n)
{
    return (const xmlNode *)n;
}

#endif
