/* ssm:/NAME: the mode is a parameter of AWS's Parameter Store, or its ARN. Polled. */
#ifndef AWS_SOURCE_SSM_H
#define AWS_SOURCE_SSM_H

#include "mode/source.h"

extern const struct source_kind source_ssm;

#endif
