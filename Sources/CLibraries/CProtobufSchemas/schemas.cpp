#include "CProtobufSchemas.h"
