/* What a shim_frame is. */
#ifndef STREAMEM_CODEC_FRAME_H
#define STREAMEM_CODEC_FRAME_H

#include "shim.h"

#include <libavutil/frame.h>

static inline const AVFrame *avframe(const struct shim_frame *frame)
{
    return (const AVFrame *)frame;
}

#endif
